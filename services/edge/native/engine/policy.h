// Selectors, rules and marks, as pure decisions about a parsed packet.
#pragma once

#include "ip.h"
#include "rows.h"

namespace culvert::policy {

// RFC 4301 §4.4.1: the packet's source within one of `sources`, its destination within one of
// `destinations`.
bool Selected(const ip::Packet& packet, const std::vector<TrafficSelector>& sources,
              const std::vector<TrafficSelector>& destinations);

// The first rule that fits decides; none permits nothing. `fromPeer`: rules speak of the destination, else
// of the source.
bool Permitted(const LinkEntry& link, const ip::Packet& packet, bool fromPeer, uint8_t& accountingClass);

// RFC 6040 §4.2, Figure 4. Negative: the packet is dropped.
int DecapsulatedEcn(uint8_t inner, uint8_t outer);

// EF, CS6 and CS7 (RFC 2474 §4.2.2.2, RFC 3246): never behind data.
inline bool IsPriority(uint8_t typeOfService) {
  const uint8_t dscp = typeOfService >> 2;
  return dscp == 46 || dscp == 48 || dscp == 56;
}

}  // namespace culvert::policy
