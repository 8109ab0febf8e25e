#include "policy.h"

#include <cstring>

namespace culvert::policy {
namespace {

bool Within(const TrafficSelector& selector, const Address& address, const ip::Packet& packet, const ip::Ports& ports,
            uint16_t port) {
  if (selector.protocol != 0 && selector.protocol != packet.protocol) return false;
  // "Every IPv6 address" would have the mapped ones as well.
  if (selector.from.IsIpv4() != packet.ipv4) return false;
  if (std::memcmp(address.octets, selector.from.octets, kAddressOctets) < 0) return false;
  if (std::memcmp(address.octets, selector.to.octets, kAddressOctets) > 0) return false;
  if (!ports.known) return selector.fromPort == 0 && selector.toPort == 0xffff;
  return port >= selector.fromPort && port <= selector.toPort;
}

}  // namespace

bool Selected(const ip::Packet& packet, const std::vector<TrafficSelector>& sources,
              const std::vector<TrafficSelector>& destinations) {
  const ip::Ports ports = ip::PortsOf(packet, true);
  const Address source = packet.Source();
  const Address destination = packet.Destination();
  const auto any = [&](const std::vector<TrafficSelector>& selectors, const Address& address, uint16_t port) {
    for (const TrafficSelector& one : selectors) {
      if (Within(one, address, packet, ports, port)) return true;
    }
    return false;
  };
  return any(sources, source, ports.source) && any(destinations, destination, ports.destination);
}

bool Permitted(const LinkEntry& link, const ip::Packet& packet, bool fromPeer, uint8_t& accountingClass) {
  accountingClass = 0;
  if (!link.hasRules) return true;
  const ip::Ports ports = ip::PortsOf(packet, false);
  const Address address = fromPeer ? packet.Destination() : packet.Source();
  const uint16_t port = fromPeer ? ports.destination : ports.source;
  for (const PolicyRule& rule : link.rules) {
    if (rule.protocol != 0 && rule.protocol != packet.protocol) continue;
    if (rule.prefix.address.IsIpv4() != packet.ipv4 || !rule.prefix.Contains(address)) continue;
    if (ports.known ? port < rule.fromPort || port > rule.toPort : rule.fromPort != 0 || rule.toPort != 0xffff) continue;
    accountingClass = rule.accountingClass;
    return rule.permit;
  }
  return false;
}

int DecapsulatedEcn(uint8_t inner, uint8_t outer) {
  constexpr uint8_t kNotEct = 0;
  constexpr uint8_t kEct1 = 1;
  constexpr uint8_t kEct0 = 2;
  constexpr uint8_t kCe = 3;
  if (outer == kCe) return inner == kNotEct ? -1 : kCe;
  if (inner == kEct0 && outer == kEct1) return kEct1;
  return inner;
}

}  // namespace culvert::policy
