// A packet from the tun, towards its client: one packet, or a super-packet that is cut on the way.
#include <algorithm>

#include "engine.h"
#include "octets.h"
#include "policy.h"

namespace culvert {
namespace {

constexpr uint16_t kPppIpv4 = 0x0021;
constexpr uint16_t kPppIpv6 = 0x0057;

// What CHECKSUM_PARTIAL left to do.
void CompleteChecksum(const ip::Packet& packet, const Offload& offload) {
  const size_t start = offload.checksumStart;
  const size_t field = start + offload.checksumOffset;
  if (field + 2 > packet.length || start > packet.length) return;
  StoreChecksum(packet.octets + field, SumOf(packet.octets + start, packet.length - start));
  if (packet.protocol == ip::kUdp && Load16(packet.octets + field) == 0) Store16(packet.octets + field, 0xffff);
}

}  // namespace

// The least of what both ends of the link take and what fits the outer path unfragmented.
int64_t Engine::PathMtu(const Link& link, double at) {
  const int64_t agreed = std::min(link.entry.mtuToPeer, link.entry.mruFromPeer);
  const Sa* sa = OutboundSa(*link.session, link.call == nullptr, at);
  return sa == nullptr ? agreed : std::min(agreed, InnerRoom(*sa, link.call, at));
}

Route Engine::Inner(uint8_t* octets, size_t length, const Offload& offload, double at) {
  Route route;
  if (length >= ip::kIpv4Header && octets[0] >> 4 == 4) {
    route = routes_.Find(Address::Mapped(octets + 16));
  } else if (length >= ip::kIpv6Header && octets[0] >> 4 == 6) {
    route = routes_.Find(Address::Of(octets + 24));
  }
  Link* link = route.link();
  if (link == nullptr) return route;
  const bool ipv4 = octets[0] >> 4 == 4;
  ip::Packet packet;
  if (!(ipv4 ? ip::ParseIpv4(octets, length, packet) : ip::ParseIpv6(octets, length, packet))) {
    CountDrop(Drop::kTunMalformed, link->session);
    return route;
  }
  const size_t packets = offload.segment == 0 ? 1 : packet.length / offload.segment + 1;
  if (!fairShare_.Admit(*link->session, packet.length, packets) && !policy::IsPriority(packet.TypeOfService())) {
    CountDrop(Drop::kOverload, link->session);
    return route;
  }
  if (offload.segment != 0) {
    SegmentsOut(*link, packet, offload, at);
    return route;
  }
  if (offload.needsChecksum) CompleteChecksum(packet, offload);
  if (ipv4) {
    Ipv4Out(*link, packet, at);
  } else {
    Ipv6Out(*link, packet, at);
  }
  return route;
}

void Engine::Ipv4Out(Link& link, ip::Packet& packet, double at) {
  uint8_t accountingClass;
  if (!policy::Permitted(link.entry, packet, false, accountingClass)) return CountDrop(Drop::kAcl, link.session);
  const int64_t mtu = PathMtu(link, at);
  if (packet.protocol == ip::kTcp && packet.fragmentOffset == 0) {
    ip::ClampMss(packet, mtu - static_cast<int64_t>(limits::kIpv4Tcp));
  }
  if (packet.dontFragment && packet.length > mtu) return TooBig(link, packet, mtu, at);
  // Without DF an outer fragment is better than an inner one, but the peer's MRU is a bound.
  if (packet.length <= link.entry.mtuToPeer) return Metered(link, packet, accountingClass, at);
  for (std::vector<uint8_t>& fragment : ip::Fragments4(packet, link.entry.mtuToPeer)) {
    ip::Packet piece;
    if (ip::ParseIpv4(fragment.data(), fragment.size(), piece)) Metered(link, piece, accountingClass, at);
  }
}

void Engine::Ipv6Out(Link& link, ip::Packet& packet, double at) {
  uint8_t accountingClass;
  if (!policy::Permitted(link.entry, packet, false, accountingClass)) return CountDrop(Drop::kAcl, link.session);
  // RFC 8200 §5: less than 1280 cannot be asked for; such packets are fragmented outside.
  const int64_t mtu = std::max<int64_t>(ip::kIpv6Mtu, PathMtu(link, at));
  if (packet.protocol == ip::kTcp && packet.fragmentOffset == 0) {
    ip::ClampMss(packet, mtu - static_cast<int64_t>(limits::kIpv6Tcp));
  }
  if (packet.length > mtu) return TooBig(link, packet, mtu, at);
  Metered(link, packet, accountingClass, at);
}

// RFC 1191 §4, RFC 4443 §3.2. The error goes back through the tun with the client's address as its source:
// one of ours would be a martian on that interface.
void Engine::TooBig(Link& link, const ip::Packet& packet, int64_t mtu, double at) {
  Session& session = *link.session;
  CountDrop(Drop::kTooBig, &session);
  if (packet.ipv4 && packet.fragmentOffset > 0) return;
  if (ip::IsIcmpError(packet) || !session.icmp.Take(limits::kIcmp, at)) return;
  ToTun(packet.ipv4 ? ip::FragmentationNeeded(packet, static_cast<uint16_t>(mtu))
                    : ip::PacketTooBig(packet, static_cast<uint32_t>(mtu)));
}

// RFC 2983 §3: the inner DSCP, unless the link has one of its own. ECN goes along only where the peer is
// known to take it back in (RFC 6040 §4.1, §4.3).
uint8_t Engine::OuterTos(const Link& link, uint8_t inner) const {
  const uint8_t dscp = link.entry.dscp >= 0 ? static_cast<uint8_t>(link.entry.dscp << 2) : inner & 0xfc;
  return link.call == nullptr ? dscp | (inner & 3) : dscp;
}

void Engine::Metered(Link& link, const ip::Packet& packet, uint8_t accountingClass, double at) {
  const LinkEntry& entry = link.entry;
  if (entry.hasRateToPeer && !link.toPeer.Take(entry.rateToPeer, at, packet.length)) {
    return CountDrop(Drop::kRate, link.session);
  }
  SendUser(link, packet, accountingClass, at);
}

void Engine::SendUser(Link& link, const ip::Packet& packet, uint8_t accountingClass, double at) {
  Session& session = *link.session;
  const LinkEntry& entry = link.entry;
  CountUser(session, true, !packet.ipv4, accountingClass, packet.length);
  const uint8_t inner = packet.TypeOfService();
  const uint8_t tos = OuterTos(link, inner);
  const bool priority = policy::IsPriority(inner);
  if (link.call != nullptr) {
    const uint16_t protocol = packet.ipv4 ? kPppIpv4 : kPppIpv6;
    return SendFrame(*link.call, protocol, packet.octets, packet.length, entry.pfc, entry.acfc, tos, priority, at);
  }
  bool usable;
  Sa* sa = TunnelSa(session, packet, at, usable);
  if (sa == nullptr) return CountDrop(usable ? Drop::kSelector : Drop::kNoSa, &session);
  uint8_t* into = Begin(*sa, packet.length, packet.ipv4 ? ip::kIpv4 : ip::kIpv6, tos, priority, at);
  if (into == nullptr) return;
  std::copy_n(packet.octets, packet.length, into);
  End();
}

}  // namespace culvert
