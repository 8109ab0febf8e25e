// Longest prefix match over the addresses and networks behind clients: one hash table per prefix length in
// use, tried from the longest.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "flat_map.h"
#include "rows.h"

namespace culvert {

// A link of this engine, or the worker that has it.
class Route {
 public:
  Route() = default;
  explicit Route(Link* link) : word_(reinterpret_cast<uintptr_t>(link)) {}
  static Route Elsewhere(uint32_t worker) {
    Route made;
    made.word_ = (static_cast<uintptr_t>(worker) << 1) | 1;
    return made;
  }
  bool empty() const { return word_ == 0; }
  Link* link() const { return (word_ & 1) == 0 ? reinterpret_cast<Link*>(word_) : nullptr; }
  int worker() const { return (word_ & 1) == 1 ? static_cast<int>(word_ >> 1) : -1; }
  bool operator==(const Route&) const = default;

 private:
  uintptr_t word_ = 0;
};

class Routes {
 public:
  Route Find(const Address& destination) const;
  // The route of exactly this prefix.
  Route At(const Prefix& prefix) const;
  void Set(const Prefix& prefix, Route route);
  void Erase(const Prefix& prefix);

 private:
  struct Key {
    uint64_t high;
    uint64_t low;
    bool operator==(const Key&) const = default;
    explicit operator uint64_t() const { return high ^ Mixed(low); }
  };
  using Table = FlatMap<Key, Route>;
  static Key KeyOf(const Address& address, unsigned bits);

  std::array<std::unique_ptr<Table>, 129> tables_;
  // Lengths in use, longest first; IPv4 ones (96 and more under the mapped prefix) and IPv6 ones apart.
  std::vector<uint8_t> lengths4_;
  std::vector<uint8_t> lengths6_;
};

}  // namespace culvert
