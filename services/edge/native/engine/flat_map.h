// A hash table of plain keys and values in one array: open addressing, linear probing, deletion without
// tombstones, at most two thirds full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace culvert {

inline uint64_t Mixed(uint64_t key) {
  // Keys are chosen by peers only in part (inner addresses by us, SPIs by us): a strong mixer is enough.
  key ^= key >> 32;
  key *= 0xd6e8feb86659fd93ull;
  key ^= key >> 32;
  key *= 0xd6e8feb86659fd93ull;
  key ^= key >> 32;
  return key;
}

template <typename Key, typename Value>
class FlatMap {
 public:
  FlatMap() : slots_(kLeast) {}

  // Zero-initialised `Value{}` stands for absence.
  Value Find(Key key) const {
    for (size_t at = Place(key);; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (!slot.used) return Value{};
      if (slot.key == key) return slot.value;
    }
  }

  void Prefetch(Key key) const { __builtin_prefetch(&slots_[Place(key)]); }

  void Set(Key key, Value value) {
    if ((count_ + 1) * 3 > slots_.size() * 2) Resize(slots_.size() * 2);
    for (size_t at = Place(key);; at = (at + 1) & (slots_.size() - 1)) {
      Slot& slot = slots_[at];
      if (slot.used && slot.key != key) continue;
      if (!slot.used) count_++;
      slot = {key, value, true};
      return;
    }
  }

  void Erase(Key key) {
    const size_t mask = slots_.size() - 1;
    size_t hole = Place(key);
    for (;; hole = (hole + 1) & mask) {
      if (!slots_[hole].used) return;
      if (slots_[hole].key == key) break;
    }
    // What probing has pushed past the hole moves into it.
    for (size_t at = (hole + 1) & mask; slots_[at].used; at = (at + 1) & mask) {
      const size_t home = Place(slots_[at].key);
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        slots_[hole] = slots_[at];
        hole = at;
      }
    }
    slots_[hole] = Slot{};
    count_--;
    if (slots_.size() > kLeast && count_ * 8 < slots_.size()) Resize(slots_.size() / 2);
  }

  size_t size() const { return count_; }
  size_t octets() const { return slots_.size() * sizeof(Slot); }

  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.used) visit(slot.key, slot.value);
    }
  }

 private:
  struct Slot {
    Key key{};
    Value value{};
    bool used = false;
  };
  static constexpr size_t kLeast = 16;

  size_t Place(Key key) const { return Mixed(static_cast<uint64_t>(key)) & (slots_.size() - 1); }

  void Resize(size_t size) {
    std::vector<Slot> old(size);
    old.swap(slots_);
    count_ = 0;
    for (const Slot& slot : old) {
      if (slot.used) Set(slot.key, slot.value);
    }
  }

  std::vector<Slot> slots_;
  size_t count_ = 0;
};

}  // namespace culvert
