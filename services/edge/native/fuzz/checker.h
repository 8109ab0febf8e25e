// Where a fuzzed engine's packets go: everything that must hold for them whatever came in.
#pragma once

#include <set>
#include <utility>

#include "population.h"

namespace culvert::fuzz {

class Checker : public Outlet {
 public:
  void ToTun(const SuperPacket& packet) override;
  void ToPeers(const std::vector<Group>& groups) override;

  // Whether what leaves now was cut out of super-packets: then its checksums are the engine's own.
  void ExpectSegments(bool segments) { segments_ = segments; }

 private:
  void PacketToPeer(const Group& group, const uint8_t* packet, size_t length);

  bool segments_ = false;
  std::set<std::pair<uint32_t, uint32_t>> numbers_;
};

}  // namespace culvert::fuzz
