// Expanded keys. A 1-KiB key schedule in every direction of 100,000 SAs would be most of the engine's
// memory, and most SAs are idle: schedules live in a slab that grows with use up to a bound; beyond it the
// one that was not used for long gives way and is expanded again when needed.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "../crypto/crypto.h"
#include "rows.h"

namespace culvert {

class Contexts {
 public:
  explicit Contexts(crypto::Backend& backend);
  ~Contexts();
  Contexts(const Contexts&) = delete;
  Contexts& operator=(const Contexts&) = delete;

  // Stays valid until `kPinned` other directions have been asked for.
  void* Get(ContextRef& ref, const crypto::Keys& keys, crypto::Direction direction);
  void Release(ContextRef& ref);
  uint64_t misses() const { return misses_; }
  size_t octets() const { return chunks_.size() * kChunk * slotOctets_; }

  static constexpr uint32_t kSlots = 16384;
  static constexpr uint32_t kPinned = 4096;

 private:
  struct Slot {
    uint32_t owner = 0;  // 0: free
    uint32_t usedAt = 0;
  };
  static constexpr uint32_t kChunk = 64;

  uint8_t* Memory(uint32_t slot) { return chunks_[slot / kChunk].get() + (slot % kChunk) * slotOctets_; }
  uint32_t TakeSlot();

  crypto::Backend& backend_;
  size_t slotOctets_;
  struct Freed {
    void operator()(uint8_t* memory) const { ::operator delete[](memory, std::align_val_t{64}); }
  };
  std::vector<std::unique_ptr<uint8_t[], Freed>> chunks_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  uint32_t hand_ = 0;
  uint32_t clock_ = 0;
  uint32_t nextOwner_ = 1;
  uint64_t misses_ = 0;
};

}  // namespace culvert
