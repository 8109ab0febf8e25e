#include "contexts.h"

#include <algorithm>
#include <new>

namespace culvert {
namespace {

constexpr size_t kAlignment = 64;

size_t Largest(const crypto::Backend& backend) {
  size_t most = 0;
  for (uint8_t cipher = 0; cipher <= static_cast<uint8_t>(crypto::Cipher::kAesGcm256); cipher++) {
    for (uint8_t mac = 0; mac <= static_cast<uint8_t>(crypto::Mac::kHmacSha512_256); mac++) {
      const crypto::Suite suite{static_cast<crypto::Cipher>(cipher), static_cast<crypto::Mac>(mac)};
      if (crypto::IsGcm(suite.cipher) != (suite.mac == crypto::Mac::kNone)) continue;
      most = std::max({most, backend.ContextOctets(suite, crypto::Direction::kSeal),
                       backend.ContextOctets(suite, crypto::Direction::kOpen)});
    }
  }
  return (most + kAlignment - 1) & ~(kAlignment - 1);
}

}  // namespace

Contexts::Contexts(crypto::Backend& backend) : backend_(backend), slotOctets_(Largest(backend)) {}

Contexts::~Contexts() {
  for (uint32_t slot = 0; slot < slots_.size(); slot++) {
    if (slots_[slot].owner != 0) backend_.Destroy(Memory(slot));
  }
}

void* Contexts::Get(ContextRef& ref, const crypto::Keys& keys, crypto::Direction direction) {
  clock_++;
  if (ref.slot < slots_.size() && slots_[ref.slot].owner == ref.owner && ref.owner != 0) {
    slots_[ref.slot].usedAt = clock_;
    return Memory(ref.slot);
  }
  misses_++;
  ref.slot = TakeSlot();
  ref.owner = nextOwner_++;
  if (nextOwner_ == 0) nextOwner_ = 1;
  slots_[ref.slot] = {ref.owner, clock_};
  backend_.Init(Memory(ref.slot), keys, direction);
  return Memory(ref.slot);
}

void Contexts::Release(ContextRef& ref) {
  if (ref.slot < slots_.size() && slots_[ref.slot].owner == ref.owner && ref.owner != 0) {
    backend_.Destroy(Memory(ref.slot));
    slots_[ref.slot] = {};
    free_.push_back(ref.slot);
  }
  ref = {};
}

uint32_t Contexts::TakeSlot() {
  if (!free_.empty()) {
    const uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  if (slots_.size() < kSlots) {
    const uint32_t first = static_cast<uint32_t>(slots_.size());
    chunks_.emplace_back(static_cast<uint8_t*>(::operator new[](kChunk * slotOctets_, std::align_val_t{kAlignment})));
    slots_.resize(first + kChunk);
    for (uint32_t slot = first + kChunk - 1; slot > first; slot--) free_.push_back(slot);
    return first;
  }
  // Whatever was used within the last `kPinned` calls may still be in a batch. The slab has four times as
  // many slots, so the hand finds another one soon.
  for (;; hand_ = (hand_ + 1) % kSlots) {
    Slot& slot = slots_[hand_];
    if (clock_ - slot.usedAt <= kPinned) continue;
    backend_.Destroy(Memory(hand_));
    slot = {};
    const uint32_t taken = hand_;
    hand_ = (hand_ + 1) % kSlots;
    return taken;
  }
}

}  // namespace culvert
