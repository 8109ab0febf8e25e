// Most packets of a session go on with what the one before began. Of a packet that was forwarded, the trail
// keeps what the decision hung on; the next one that has the same in all those places needs no second one.
#pragma once

#include <cstdint>

#include "ip.h"
#include "rows.h"

namespace culvert {

class Trail {
 public:
  // `payload`: the UDP datagram inside ESP, `packet` the user packet in it, which was forwarded.
  void Keep(const Sa& sa, Link& link, const uint8_t* payload, const ip::Packet& packet);
  void Forget() { sa_ = nullptr; }
  bool Is(const Sa& sa) const { return sa_ == &sa; }
  Link& link() const { return *link_; }
  // Octets in front of the user packet.
  size_t front() const { return headers_; }
  // True and the packet, when the datagram differs in nothing that matters.
  bool Continues(uint8_t* payload, size_t length, ip::Packet& packet) const;

 private:
  // UDP, L2TP with Length and without the rest, PPP: at most so long.
  static constexpr size_t kHeaders = 24;

  const Sa* sa_ = nullptr;
  Link* link_ = nullptr;
  // Octets in front of the user packet, those that must be equal, and where (lengths are compared apart).
  uint32_t headers_ = 0;
  bool hasLength_ = false;
  uint64_t expected_[kHeaders / 8] = {};
  uint64_t mask_[kHeaders / 8] = {};
  bool ipv4_ = false;
  uint8_t protocol_ = 0;
  uint8_t addresses_[32] = {};
};

}  // namespace culvert
