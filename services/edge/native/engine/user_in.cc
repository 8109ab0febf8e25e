// A user packet from a client, towards the tun: what it is, whether it may, what is changed about it.
#include <algorithm>

#include "engine.h"
#include "octets.h"
#include "policy.h"

namespace culvert {
namespace {

constexpr uint8_t kRouterSolicitation = 133;
constexpr uint8_t kNeighborSolicitation = 135;
constexpr uint8_t kNeighborAdvertisement = 136;
constexpr uint16_t kDhcpv6Server = 547;
constexpr uint16_t kPppIpv6 = 0x0057;
// In front of what the engine makes itself: room for the tun's header.
constexpr size_t kFront = 16;

bool IsLinkLocal(const uint8_t* address) { return address[0] == 0xfe && (address[1] & 0xc0) == 0x80; }

bool AllZero(const uint8_t* at, size_t octets) {
  return std::all_of(at, at + octets, [](uint8_t octet) { return octet == 0; });
}

// RFC 4861 discovery that a host sends (an advertisement or redirect of a router it is not), and DHCPv6.
bool IsHousekeeping(const ip::Packet& packet) {
  if (packet.fragmented) return false;
  const uint8_t* upper = packet.Upper();
  const uint32_t octets = packet.UpperOctets();
  if (packet.protocol == ip::kIcmpv6) {
    const uint8_t type = octets > 0 ? upper[0] : 0;
    return type == kRouterSolicitation || type == kNeighborSolicitation || type == kNeighborAdvertisement;
  }
  return packet.protocol == ip::kUdp && octets >= 4 && Load16(upper + 2) == kDhcpv6Server;
}

bool OwnsSource(const Link& link, const ip::Packet& packet) {
  const LinkEntry& entry = link.entry;
  if (packet.ipv4) {
    if (entry.hasIpv4 && std::memcmp(packet.octets + 12, entry.ipv4.address.four(), 4) == 0) return true;
  } else if (entry.hasIpv6 && entry.ipv6.Contains(packet.Source())) {
    return true;
  }
  if (entry.routes.empty()) return false;
  const Address source = packet.Source();
  return std::any_of(entry.routes.begin(), entry.routes.end(), [&](const Prefix& route) {
    return route.address.IsIpv4() == packet.ipv4 && route.Contains(source);
  });
}

}  // namespace

void Engine::UserIn(Link& link, Sa& sa, uint8_t* octets, size_t length, bool ipv4, uint8_t tos, double at) {
  Session& session = *link.session;
  ip::Packet packet;
  if (!(ipv4 ? ip::ParseIpv4(octets, length, packet) : ip::ParseIpv6(octets, length, packet))) {
    return CountDrop(Drop::kInnerMalformed, &session);
  }
  if (sa.tunnel() && !policy::Selected(packet, sa.entry.selectors->remote, sa.entry.selectors->local)) {
    return CountDrop(Drop::kSelector, &session);
  }
  Drop reason = Drop::kInnerMalformed;
  switch (ipv4 ? Judge4(link, packet, reason) : Judge6(link, packet, reason)) {
    case Verdict::kDrop:
      return CountDrop(reason, &session);
    case Verdict::kEcho:
      return EchoIn(link, packet, at);
    case Verdict::kLinkLocal:
      return LinkLocalIn(link, packet, at);
    case Verdict::kForward:
      break;
  }
  uint8_t accountingClass;
  if (!policy::Permitted(link.entry, packet, true, accountingClass)) return CountDrop(Drop::kAcl, &session);
  const uint8_t outerEcn = tos & 3;
  if (outerEcn != 0) {
    const uint8_t inner = packet.TypeOfService() & 3;
    const int ecn = policy::DecapsulatedEcn(inner, outerEcn);
    if (ecn < 0) return CountDrop(Drop::kEcn, &session);
    if (ecn != inner) ip::SetEcn(packet, static_cast<uint8_t>(ecn));
  }
  if (link.entry.hasRateFromPeer && !link.fromPeer.Take(link.entry.rateFromPeer, at, packet.length)) {
    return CountDrop(Drop::kRate, &session);
  }
  if (packet.protocol == ip::kTcp && packet.fragmentOffset == 0 && packet.UpperOctets() >= 20 &&
      (packet.Upper()[13] & 0x02) != 0) {
    ip::ClampMss(packet, PathMtu(link, at) - static_cast<int64_t>(ipv4 ? limits::kIpv4Tcp : limits::kIpv6Tcp));
  }
  if (!sa.tunnel()) trail_.Keep(sa, link, datagram_, packet);
  Forward(link, packet, accountingClass);
}

void Engine::Forward(Link& link, const ip::Packet& packet, uint8_t accountingClass) {
  CountUser(*link.session, false, !packet.ipv4, accountingClass, packet.length);
  ToTun(packet, policy::IsPriority(packet.TypeOfService()));
}

// The source is the leased address, the destination is neither us nor another client.
Engine::Verdict Engine::Judge4(Link& link, const ip::Packet& packet, Drop& reason) {
  reason = Drop::kInnerOptions;
  if (packet.routed) return Verdict::kDrop;
  reason = Drop::kInnerSource;
  if (!OwnsSource(link, packet)) return Verdict::kDrop;
  const uint8_t* destination = packet.octets + 16;
  // RFC 1112 §4 multicast, RFC 919 §7 broadcast.
  reason = Drop::kInnerMulticast;
  const uint8_t first = destination[0];
  if ((first >= 224 && first < 240) || Load32(destination) == 0xffffffff) return Verdict::kDrop;
  // RFC 6890: this network, loopback, link-local, reserved.
  reason = Drop::kInnerMartian;
  if (first == 0 || first == 127 || first >= 240 || (first == 169 && destination[1] == 254)) return Verdict::kDrop;
  if (policy_.hasGateway4 && std::memcmp(destination, policy_.gateway4, 4) == 0) return Verdict::kEcho;
  return Reachable(link, packet.Destination(), reason);
}

// The same for IPv6, where the source is any address of the session's /64.
Engine::Verdict Engine::Judge6(Link& link, const ip::Packet& packet, Drop& reason) {
  reason = Drop::kInnerOptions;
  if (packet.routed) return Verdict::kDrop;
  const uint8_t* source = packet.octets + 8;
  const uint8_t* destination = packet.octets + 24;
  const bool multicast = destination[0] == 0xff;
  if (multicast || IsLinkLocal(destination) || IsLinkLocal(source) || AllZero(source, 16)) {
    reason = multicast ? Drop::kInnerMulticast : Drop::kInnerMartian;
    return IsHousekeeping(packet) ? Verdict::kLinkLocal : Verdict::kDrop;
  }
  reason = Drop::kInnerSource;
  if (!OwnsSource(link, packet)) return Verdict::kDrop;
  // RFC 6890: unspecified and loopback; an IPv4-mapped address would get around the IPv4 rules.
  reason = Drop::kInnerMartian;
  if (AllZero(destination, 10)) return Verdict::kDrop;
  return Reachable(link, packet.Destination(), reason);
}

Engine::Verdict Engine::Reachable(Link& link, const Address& destination, Drop& reason) {
  // A flow's packets have one destination: what was found for the last one holds under the same policy.
  if (link.lastPolicy == policyVersion_ && link.lastDestination == destination) return Verdict::kForward;
  reason = Drop::kInnerToGateway;
  if (local_.contains(destination)) return Verdict::kDrop;
  const auto within = [&](const std::vector<Prefix>& prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(), [&](const Prefix& one) { return one.Contains(destination); });
  };
  reason = Drop::kInnerToClient;
  if (!policy_.clientToClient && within(policy_.pools)) return Verdict::kDrop;
  reason = Drop::kInnerNotAllowed;
  if (!policy_.corporate.empty() && !within(policy_.corporate)) return Verdict::kDrop;
  link.lastPolicy = policyVersion_;
  link.lastDestination = destination;
  return Verdict::kForward;
}

// IPv6's own housekeeping is the ppp service's. In tunnel mode there is no link to keep.
void Engine::LinkLocalIn(Link& link, const ip::Packet& packet, double at) {
  Session& session = *link.session;
  if (link.call == nullptr) return CountDrop(Drop::kInnerMartian, &session);
  if (!link.call->linkLocal.Take(limits::kLinkLocal, at)) return CountDrop(Drop::kControlRate, &session);
  if (records_.full()) return account().Count(Counter::kControlFull);
  records_.Begin(RecordKind::kPpp);
  records_.U64(session.id);
  records_.U16(link.call->entry.ourCall);
  records_.U16(kPppIpv6);
  records_.Octets(packet.octets, packet.length);
  records_.Text(session.trace);
  records_.End();
}

// Our end of the link answers Echo here, so that clients which probe their peer are content and still
// nothing of theirs ever reaches a socket of this machine.
void Engine::EchoIn(Link& link, const ip::Packet& packet, double at) {
  Session& session = *link.session;
  std::vector<uint8_t> reply = ip::EchoReply4(packet);
  if (reply.empty()) return CountDrop(Drop::kInnerToGateway, &session);
  if (!session.icmp.Take(limits::kIcmp, at)) return CountDrop(Drop::kControlRate, &session);
  ip::Packet parsed;
  if (ip::ParseIpv4(reply.data(), reply.size(), parsed)) SendUser(link, parsed, 0, at);
}

void Engine::ToTun(const ip::Packet& packet, bool priority) {
  if (coalescer_.full()) Flush();
  coalescer_.Add(packet, priority);
}

void Engine::ToTun(std::vector<uint8_t> made) {
  if (coalescer_.full()) Flush();
  made.insert(made.begin(), kFront, 0);
  made_.push_back(std::move(made));
  std::vector<uint8_t>& kept = made_.back();
  ip::Packet packet;
  const size_t length = kept.size() - kFront;
  const bool ipv4 = kept[kFront] >> 4 == 4;
  if (ipv4 ? ip::ParseIpv4(kept.data() + kFront, length, packet) : ip::ParseIpv6(kept.data() + kFront, length, packet)) {
    coalescer_.Add(packet, true);
  }
}

}  // namespace culvert
