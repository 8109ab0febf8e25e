// Sends what the engine has sealed, and writes what it has opened.
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "loop.h"
#include "octets.h"
#include "system_calls.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace culvert {
namespace {

constexpr size_t kControl = 96;
constexpr size_t kMessages = 64;
// A full send buffer is waited for once a batch; then packets are lost, as on any congested path.
constexpr int kSendWaitMs = 5;

bool IsUnset(const Address& address) {
  const uint8_t* octets = address.IsIpv4() ? address.four() : address.octets;
  const size_t size = address.IsIpv4() ? 4 : kAddressOctets;
  return std::all_of(octets, octets + size, [](uint8_t octet) { return octet == 0; });
}

}  // namespace

// One message of sendmmsg with all that it points to.
struct Loop::Outgoing {
  const Flow* flow;
  sockaddr_storage peer;
  iovec part;
  alignas(cmsghdr) uint8_t control[kControl];
  size_t controlOctets;
  socklen_t peerOctets;
  uint32_t segment;
  uint32_t count;

  void Fill(const SocketSpec& spec, const Flow& to, uint8_t* octets, size_t length, uint8_t tos) {
    flow = &to;
    part = {octets, length};
    segment = static_cast<uint32_t>(length);
    count = 1;
    controlOctets = 0;
    // A raw socket takes the port for a protocol number.
    const uint16_t port = spec.via == Via::kEsp ? 0 : htons(to.remotePort);
    if (spec.ipv6) {
      auto& in6 = reinterpret_cast<sockaddr_in6&>(peer);
      in6 = {};
      in6.sin6_family = AF_INET6;
      in6.sin6_port = port;
      std::memcpy(&in6.sin6_addr, to.remote.octets, 16);
      peerOctets = sizeof in6;
      if (spec.every && !IsUnset(to.local)) {
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, to.local.octets, 16);
        Add(IPPROTO_IPV6, IPV6_PKTINFO, info);
      }
      if (tos != 0) Add(IPPROTO_IPV6, IPV6_TCLASS, int{tos});
    } else {
      auto& in4 = reinterpret_cast<sockaddr_in&>(peer);
      in4 = {};
      in4.sin_family = AF_INET;
      in4.sin_port = port;
      std::memcpy(&in4.sin_addr, to.remote.four(), 4);
      peerOctets = sizeof in4;
      // The source address of what we send is the one that the client dialled.
      if (spec.every && !IsUnset(to.local)) {
        in_pktinfo info{};
        std::memcpy(&info.ipi_spec_dst, to.local.four(), 4);
        Add(IPPROTO_IP, IP_PKTINFO, info);
      }
      if (tos != 0) Add(IPPROTO_IP, IP_TOS, int{tos});
    }
  }

  void Cut(uint32_t octets, uint32_t packets) {
    segment = octets;
    count = packets;
    if (packets > 1) Add(IPPROTO_UDP, UDP_SEGMENT, static_cast<uint16_t>(octets));
  }

  msghdr Header() {
    return {&peer, peerOctets, &part, 1, controlOctets > 0 ? control : nullptr, controlOctets, 0};
  }

 private:
  template <typename Value>
  void Add(int level, int type, const Value& value) {
    auto* head = reinterpret_cast<cmsghdr*>(control + controlOctets);
    head->cmsg_level = level;
    head->cmsg_type = type;
    head->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(head), &value, sizeof value);
    controlOctets += CMSG_SPACE(sizeof value);
  }
};

// Bound to the flow's local address, or to every address.
const SocketSpec* Loop::SocketFor(const Flow& flow, bool udp) {
  const bool ipv6 = !flow.remote.IsIpv4();
  const auto fits = [&](const SocketSpec& spec) {
    return spec.ipv6 == ipv6 && (spec.via != Via::kEsp) == udp && (!udp || spec.port == flow.localPort);
  };
  if (lastSocket_ != nullptr && fits(*lastSocket_) && !lastSocket_->every && lastSocket_->local == flow.local) {
    return lastSocket_;
  }
  const SocketSpec* found = nullptr;
  for (const SocketSpec& spec : options_.sockets) {
    if (!fits(spec)) continue;
    if (!spec.every && spec.local == flow.local) {
      found = &spec;
      break;
    }
    if (spec.every && found == nullptr) found = &spec;
  }
  lastSocket_ = found;
  return found;
}

void Loop::ToPeers(const std::vector<Group>& groups) {
  Outgoing messages[kMessages];
  size_t count = 0;
  int fd = -1;
  const auto flush = [&] {
    if (count > 0) Transmit(fd, messages, count);
    count = 0;
  };
  // Priority first: it never stands behind data.
  for (const bool priority : {true, false}) {
    for (const Group& group : groups) {
      if (group.priority != priority) continue;
      const SocketSpec* spec = SocketFor(group.flow, group.udp);
      if (spec == nullptr) {
        engine_->account().Count(Counter::kSendFailed, group.count);
        continue;
      }
      if (spec->fd != fd || count == kMessages) flush();
      fd = spec->fd;
      Outgoing& message = messages[count++];
      message.Fill(*spec, group.flow, group.octets, group.length, group.tos);
      message.Cut(group.segment, group.count);
    }
  }
  flush();
}

void Loop::Send(const Flow& flow, const uint8_t* octets, size_t length) {
  const SocketSpec* spec = SocketFor(flow, true);
  if (spec == nullptr) return engine_->account().Count(Counter::kSendFailed);
  Outgoing message;
  message.Fill(*spec, flow, const_cast<uint8_t*>(octets), length, 0);
  Transmit(spec->fd, &message, 1);
}

void Loop::Transmit(int fd, Outgoing* outgoing, size_t count) {
  Account& account = engine_->account();
  mmsghdr messages[kMessages];
  for (size_t i = 0; i < count; i++) messages[i].msg_hdr = outgoing[i].Header();
  size_t done = 0;
  bool waited = false;
  while (done < count) {
    const int sent = system_calls::SendMany(fd, messages + done, static_cast<unsigned>(count - done));
    if (sent > 0) {
      for (int i = 0; i < sent; i++) {
        account.Count(Counter::kSent, outgoing[done + static_cast<size_t>(i)].count);
        account.Count(Counter::kMessagesOut);
      }
      done += static_cast<size_t>(sent);
      continue;
    }
    const int error = errno;
    if (error == EINTR) continue;
    if ((error == EAGAIN || error == ENOBUFS) && !waited) {
      pollfd writable = {fd, POLLOUT, 0};
      poll(&writable, 1, kSendWaitMs);
      waited = true;
      continue;
    }
    const Outgoing& refused = outgoing[done++];
    // What is larger than the path's MTU cannot leave in segments, but the kernel fragments single ones.
    if (refused.count > 1 && (error == EINVAL || error == EMSGSIZE)) {
      AskPath(*refused.flow);
      TransmitOneByOne(fd, refused);
    } else {
      account.Count(Counter::kSendFailed, refused.count);
    }
  }
}

void Loop::TransmitOneByOne(int fd, const Outgoing& message) {
  Account& account = engine_->account();
  account.Count(Counter::kSegmentedSends);
  Outgoing one = message;
  // UDP_SEGMENT stands last.
  one.controlOctets -= CMSG_SPACE(sizeof(uint16_t));
  auto* octets = static_cast<uint8_t*>(message.part.iov_base);
  const size_t length = message.part.iov_len;
  for (size_t at = 0; at < length; at += message.segment) {
    one.part = {octets + at, std::min<size_t>(message.segment, length - at)};
    const msghdr header = one.Header();
    account.Count(sendmsg(fd, &header, MSG_DONTWAIT) >= 0 ? Counter::kSent : Counter::kSendFailed);
  }
}

// The kernel knows what the path takes (it heard of it by ICMP, or its route says so) and tells whoever
// connects. From then on what is inside is made to fit.
void Loop::AskPath(const Flow& flow) {
  const double at = Now();
  if (at - askedPathAt_ < limits::kPathAskMs) return;
  askedPathAt_ = at;
  const bool ipv6 = !flow.remote.IsIpv4();
  const int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  SocketSpec spec{};
  spec.via = Via::kNatTraversal;
  spec.ipv6 = ipv6;
  Outgoing probe;
  probe.Fill(spec, flow, nullptr, 0, 0);
  int mtu = 0;
  socklen_t length = sizeof mtu;
  const bool known = connect(fd, reinterpret_cast<const sockaddr*>(&probe.peer), probe.peerOctets) == 0 &&
                     getsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_MTU : IP_MTU, &mtu, &length) == 0;
  close(fd);
  if (known && mtu > 0 && mtu <= 0xffff) engine_->LearnPathMtu(flow, static_cast<uint16_t>(mtu), at);
}

void Loop::ToTun(const SuperPacket& packet) {
  Account& account = engine_->account();
  ssize_t written;
  do {
    written = system_calls::Write(options_.tun, packet.octets, packet.length);
  } while (written < 0 && errno == EINTR);
  account.Count(written >= 0 ? Counter::kTunWritten : Counter::kTunFailed, packet.packets);
}

}  // namespace culvert
