// ESP on its way out: payloads are written straight into an arena, sealed there many at a time, and leave in
// groups of equal size that one system call can send (UDP_SEGMENT).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "contexts.h"
#include "limits.h"
#include "pages.h"
#include "rows.h"

namespace culvert {

// Consecutive sealed packets for one place: all `segment` octets long but the last, which may be shorter.
struct Group {
  uint8_t* octets;
  uint32_t length;
  uint32_t segment;
  uint32_t count;
  Flow flow;
  uint8_t tos;
  bool udp;
  bool priority;
  bool closed;
};

class Sealer {
 public:
  Sealer(crypto::Backend& backend, Contexts& contexts, crypto::IvSource& ivs, uint32_t ivPrefix, bool merge);

  // False: send what there is (`Seal`, then the groups, then `Clear`) before the next packet.
  bool HasRoom(size_t octets) const {
    return used_ + octets <= kArena && groups_.size() < kGroups;
  }
  // Room for a payload of the SA, under this number; `Close` follows when it has been written.
  uint8_t* Open(Sa& sa, uint64_t sequence, size_t payload, uint8_t tos, bool priority);
  void Close(uint8_t nextHeader);

  void Seal();
  const std::vector<Group>& groups() const { return groups_; }
  bool empty() const { return groups_.empty(); }
  void Clear();

  static size_t SealedOctets(const Sa& sa, size_t payload);
  // The longest payload whose sealed packet has at most `octets`; may be negative.
  static int64_t PayloadRoom(const Sa& sa, int64_t octets);

 private:
  // As much as stays in a core's second-level cache, and more than four super-packets of a tun.
  static constexpr size_t kArena = 1 << 20;
  static constexpr size_t kGroups = 256;

  crypto::Backend& backend_;
  Contexts& contexts_;
  crypto::IvSource& ivs_;
  const uint32_t ivPrefix_;
  const bool merge_;
  Pages arena_;
  size_t used_ = 0;
  std::vector<Group> groups_;
  crypto::Job jobs_[limits::kJobs];
  size_t jobCount_ = 0;
  // As many jobs as suit the last packet's cipher.
  size_t most_ = limits::kJobs;
  crypto::IvRequest requests_[limits::kJobs];
  size_t requestCount_ = 0;
  // A payload for a cipher that takes packets one by one is written here, and sealed on its way to the arena:
  // this place never leaves the first-level cache.
  static constexpr size_t kClear = 4096;
  alignas(64) uint8_t clear_[kClear];
  // The packet between Open and Close.
  uint8_t* payloadAt_ = nullptr;
  size_t payloadOctets_ = 0;
  size_t plainOctets_ = 0;
};

}  // namespace culvert
