// Reads a socket many datagrams at a time, and takes apart what the kernel has joined (UDP_GRO).
#pragma once

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "loop.h"
#include "octets.h"
#include "system_calls.h"

namespace culvert {

class Datagrams {
 public:
  // Messages of one call: with smaller buffers a joined datagram would be cut off, with fewer of them a
  // sender whose datagrams come one by one would be slow.
  static constexpr unsigned kMost = 32;
  static constexpr unsigned kFew = 4;
  static constexpr size_t kSlot = 65536;
  // From one slot to the next: an even distance would put all packets on the same few lines of the cache.
  static constexpr size_t kStride = kSlot + 33 * 64;
  static constexpr size_t kOctets = kMost * kStride;

  Datagrams(const SocketSpec& spec, uint8_t* memory) : spec_(spec), memory_(memory) {}

  int Receive(unsigned messages) {
    for (unsigned i = 0; i < messages; i++) {
      parts_[i] = {memory_ + i * kStride, kSlot};
      messages_[i].msg_hdr = {&peers_[i], sizeof peers_[i], &parts_[i], 1, controls_[i].octets, kControl, 0};
    }
    // Errors are ICMP's answers to what was sent earlier: no fault of this read.
    return system_calls::ReceiveMany(spec_.fd, messages_, messages);
  }

  // Calls visit(OuterPacket) for each packet of message i; answers the message's octets.
  template <typename Visit>
  size_t ForEach(int i, Visit visit) {
    msghdr& message = messages_[i].msg_hdr;
    uint8_t* octets = memory_ + static_cast<size_t>(i) * kStride;
    uint32_t length = messages_[i].msg_len;
    Flow& flow = flows_[i];
    ReadPeer(peers_[i], flow);
    flow.local = spec_.local;
    flow.localPort = spec_.port;
    uint8_t tos = 0;
    uint32_t segment = length;
    ReadControl(message, flow, tos, segment);
    // Cut off by its slot: empty, which no parser takes.
    if ((message.msg_flags & MSG_TRUNC) != 0) length = segment = 0;
    if (spec_.via == Via::kEsp) {
      flow.remotePort = 0;
      if (!spec_.ipv6) SkipIpHeader(octets, length, tos);
      segment = length;
    }
    if (length == 0 || segment == 0) {
      visit(OuterPacket{octets, 0, &flow, spec_.via, spec_.listener, tos});
      return 0;
    }
    for (uint32_t at = 0; at < length; at += segment) {
      visit(OuterPacket{octets + at, std::min(segment, length - at), &flow, spec_.via, spec_.listener, tos});
    }
    return length;
  }

 private:
  static constexpr size_t kControl = 128;
  struct Control {
    alignas(cmsghdr) uint8_t octets[kControl];
  };

  static void ReadPeer(const sockaddr_storage& from, Flow& flow) {
    if (from.ss_family == AF_INET6) {
      const auto& in6 = reinterpret_cast<const sockaddr_in6&>(from);
      flow.remote = Address::Of(reinterpret_cast<const uint8_t*>(&in6.sin6_addr));
      flow.remotePort = ntohs(in6.sin6_port);
    } else {
      const auto& in4 = reinterpret_cast<const sockaddr_in&>(from);
      flow.remote = Address::Mapped(reinterpret_cast<const uint8_t*>(&in4.sin_addr));
      flow.remotePort = ntohs(in4.sin_port);
    }
  }

  void ReadControl(msghdr& message, Flow& flow, uint8_t& tos, uint32_t& segment) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
      const uint8_t* data = CMSG_DATA(part);
      if (part->cmsg_level == IPPROTO_UDP && part->cmsg_type == UDP_GRO) {
        int size;
        std::memcpy(&size, data, sizeof size);
        if (size > 0) segment = static_cast<uint32_t>(size);
      } else if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_TOS) {
        tos = data[0];
      } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_TCLASS) {
        int value;
        std::memcpy(&value, data, sizeof value);
        tos = static_cast<uint8_t>(value);
      } else if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
        in_pktinfo found;
        std::memcpy(&found, data, sizeof found);
        flow.local = Address::Mapped(reinterpret_cast<const uint8_t*>(&found.ipi_addr));
      } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
        in6_pktinfo found;
        std::memcpy(&found, data, sizeof found);
        flow.local = Address::Of(reinterpret_cast<const uint8_t*>(&found.ipi6_addr));
      }
    }
  }

  // A raw IPv4 socket hands over the IP header as well.
  static void SkipIpHeader(uint8_t*& octets, uint32_t& length, uint8_t& tos) {
    if (length < 20) {
      length = 0;
      return;
    }
    tos = octets[1];
    const uint32_t header = std::min<uint32_t>((octets[0] & 0x0fu) * 4, length);
    octets += header;
    length -= header;
  }

  const SocketSpec& spec_;
  uint8_t* memory_;
  mmsghdr messages_[kMost];
  iovec parts_[kMost];
  sockaddr_storage peers_[kMost];
  Control controls_[kMost];
  Flow flows_[kMost];
};

}  // namespace culvert
