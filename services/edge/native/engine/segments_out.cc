// A super-packet from the tun (TSO, USO), cut into packets that are written straight to where they will be
// sealed: headers from one template, the payload copied and summed in one pass.
#include <algorithm>

#include "engine.h"
#include "octets.h"
#include "policy.h"

namespace culvert {
namespace {

constexpr uint16_t kPppIpv4 = 0x0021;
constexpr uint16_t kPppIpv6 = 0x0057;
constexpr size_t kUdpHeader = 8;
constexpr size_t kEncapsulation = kUdpHeader + 12 + 4;
constexpr size_t kHeaders = 60 + 60;

constexpr uint8_t kFin = 0x01;
constexpr uint8_t kPsh = 0x08;
constexpr uint8_t kCwr = 0x80;

// Headers of one segment after the other. Sums are prepared without what changes.
class Cutter {
 public:
  Cutter(const ip::Packet& packet, uint32_t headers, uint16_t segment)
      : packet_(packet),
        upper_(packet.upper),
        headers_(headers),
        segment_(segment),
        tcp_(packet.protocol == ip::kTcp),
        at_(headers) {
    std::copy_n(packet.octets, headers, template_);
    const size_t size = packet.ipv4 ? 4 : 16;
    const uint8_t* addresses = packet.octets + (packet.ipv4 ? 12 : 8);
    addresses_ = SumHeader(addresses, size * 2) + Word(packet.protocol);
    if (packet.ipv4) {
      identification_ = Load16(template_ + 4);
      Store16(template_ + 2, 0);
      Store16(template_ + 4, 0);
      Store16(template_ + 10, 0);
      ipSum_ = SumHeader(template_, upper_);
    }
    uint8_t* upper = template_ + upper_;
    if (tcp_) {
      sequence_ = Load32(upper + 4);
      flags_ = upper[13];
      Store32(upper + 4, 0);
      upper[13] = 0;
      Store16(upper + 16, 0);
    } else {
      Store16(upper + 4, 0);
      Store16(upper + 6, 0);
    }
    upperSum_ = SumHeader(upper, headers - upper_);
  }

  bool done() const { return at_ >= packet_.length; }
  // Octets of the next segment, headers included.
  uint32_t next() const { return headers_ + std::min<uint32_t>(segment_, packet_.length - at_); }

  void Skip() { Advance(next() - headers_); }

  void Write(uint8_t* into) {
    const uint32_t payload = next() - headers_;
    const uint16_t covered = static_cast<uint16_t>(headers_ - upper_ + payload);
    const uint16_t total = static_cast<uint16_t>(headers_ + payload);
    std::copy_n(template_, headers_, into);
    if (packet_.ipv4) {
      const uint16_t identification = static_cast<uint16_t>(identification_ + index_);
      Store16(into + 2, total);
      Store16(into + 4, identification);
      StoreChecksum(into + 10, ipSum_ + Word(total) + Word(identification));
    } else {
      Store16(into + 4, static_cast<uint16_t>(total - ip::kIpv6Header));
    }
    uint8_t* upper = into + upper_;
    uint64_t sum = SumCopy(into + headers_, packet_.octets + at_, payload, upperSum_ + addresses_ + Word(covered));
    if (tcp_) {
      const bool last = at_ + payload >= packet_.length;
      const uint8_t flags = static_cast<uint8_t>(flags_ & ~((last ? 0 : kFin | kPsh) | (index_ > 0 ? kCwr : 0)));
      Store32(upper + 4, sequence_);
      upper[13] = flags;
      sum += Word(static_cast<uint16_t>(sequence_ >> 16)) + Word(static_cast<uint16_t>(sequence_)) + Word(flags);
      StoreChecksum(upper + 16, sum);
    } else {
      Store16(upper + 4, covered);
      StoreChecksum(upper + 6, sum + Word(covered));
      if (Load16(upper + 6) == 0) Store16(upper + 6, 0xffff);
    }
    Advance(payload);
  }

 private:
  void Advance(uint32_t payload) {
    at_ += payload;
    sequence_ += payload;
    index_++;
  }

  const ip::Packet& packet_;
  const uint32_t upper_;
  const uint32_t headers_;
  const uint16_t segment_;
  const bool tcp_;
  uint32_t at_;
  uint32_t index_ = 0;
  uint32_t sequence_ = 0;
  uint16_t identification_ = 0;
  uint8_t flags_ = 0;
  uint64_t addresses_;
  uint64_t ipSum_ = 0;
  uint64_t upperSum_;
  uint8_t template_[kHeaders];
};

// Length of IP and transport headers; 0 where the packet is not what its offload says.
uint32_t HeadersOf(const ip::Packet& packet) {
  if (packet.fragmented) return 0;
  uint32_t headers = 0;
  if (packet.protocol == ip::kTcp && packet.UpperOctets() > 20) {
    headers = packet.upper + (packet.Upper()[12] >> 4) * 4u;
    if (headers < packet.upper + 20) return 0;
  } else if (packet.protocol == ip::kUdp && packet.UpperOctets() > 8) {
    headers = packet.upper + 8;
  }
  return headers < packet.length && headers <= kHeaders ? headers : 0;
}

}  // namespace

// Always handles the packet: whole, in pieces, or by dropping it.
void Engine::SegmentsOut(Link& link, const ip::Packet& packet, const Offload& offload, double at) {
  Session& session = *link.session;
  const LinkEntry& entry = link.entry;
  const uint32_t headers = HeadersOf(packet);
  if (headers == 0) return CountDrop(Drop::kTunMalformed, &session);
  uint8_t accountingClass;
  if (!policy::Permitted(entry, packet, false, accountingClass)) return CountDrop(Drop::kAcl, &session);
  Cutter cutter(packet, headers, offload.segment);
  const int64_t path = PathMtu(link, at);
  const int64_t mtu = packet.ipv4 ? path : std::max<int64_t>(ip::kIpv6Mtu, path);
  if (cutter.next() > mtu && (!packet.ipv4 || packet.dontFragment)) {
    // The error quotes a packet as it would have been sent.
    std::vector<uint8_t> first(cutter.next());
    cutter.Write(first.data());
    ip::Packet refused;
    if (packet.ipv4 ? ip::ParseIpv4(first.data(), first.size(), refused)
                    : ip::ParseIpv6(first.data(), first.size(), refused)) {
      TooBig(link, refused, mtu, at);
    }
    return;
  }
  if (cutter.next() > entry.mtuToPeer || (packet.protocol == ip::kTcp && (packet.Upper()[13] & 0x02) != 0)) {
    // One by one, each to be cut further or clamped.
    while (!cutter.done()) {
      std::vector<uint8_t> one(cutter.next());
      cutter.Write(one.data());
      ip::Packet piece;
      if (packet.ipv4 && ip::ParseIpv4(one.data(), one.size(), piece)) Ipv4Out(link, piece, at);
      if (!packet.ipv4 && ip::ParseIpv6(one.data(), one.size(), piece)) Ipv6Out(link, piece, at);
    }
    return;
  }

  uint8_t encapsulation[kEncapsulation];
  size_t encapsulated = 0;
  uint8_t nextHeader = ip::kUdp;
  Sa* sa;
  bool usable = false;
  if (link.call != nullptr) {
    encapsulated = DataHeader(*link.call, packet.ipv4 ? kPppIpv4 : kPppIpv6, entry.pfc, entry.acfc, encapsulation);
    sa = OutboundSa(session, false, at);
  } else {
    nextHeader = packet.ipv4 ? ip::kIpv4 : ip::kIpv6;
    sa = TunnelSa(session, packet, at, usable);
  }
  const uint8_t inner = packet.TypeOfService();
  const uint8_t tos = OuterTos(link, inner);
  const bool priority = policy::IsPriority(inner);
  uint64_t octets = 0;
  uint64_t packets = 0;
  while (!cutter.done()) {
    const uint32_t total = cutter.next();
    if (entry.hasRateToPeer && !link.toPeer.Take(entry.rateToPeer, at, total)) {
      CountDrop(Drop::kRate, &session);
      cutter.Skip();
      continue;
    }
    octets += total;
    packets++;
    if (link.call != nullptr && link.call->entry.sequencing) {
      Store16(encapsulation + kUdpHeader + 8, link.call->nsOut++);
    }
    if (sa == nullptr) {
      CountDrop(usable ? Drop::kSelector : Drop::kNoSa, &session);
      cutter.Skip();
      continue;
    }
    uint8_t* into = Begin(*sa, encapsulated + total, nextHeader, tos, priority, at);
    if (into == nullptr) {
      cutter.Skip();
      continue;
    }
    std::copy_n(encapsulation, encapsulated, into);
    cutter.Write(into + encapsulated);
    if (link.call != nullptr) {
      Store16(into + kUdpHeader + 2, static_cast<uint16_t>(encapsulated - kUdpHeader + total));
      FinishDatagram(*sa, into, encapsulated + total);
    }
    End();
  }
  CountUser(session, true, !packet.ipv4, accountingClass, octets, packets);
}

}  // namespace culvert
