#include "replay_window.h"

#include <algorithm>
#include <bit>

namespace culvert {
namespace {
constexpr uint32_t kWordBits = 32;
}

ReplayWindow::ReplayWindow(uint32_t size, uint64_t top) : top_(top) {
  const uint32_t words = (size + kWordBits - 1) / kWordBits;
  size_ = words * kWordBits;
  words_ = std::bit_ceil(words + 1);
  ring_ = std::make_unique<uint32_t[]>(words_);
  if (top == 0) return;
  std::fill_n(ring_.get(), words_, 0xffffffffu);
  // Numbers above it in its own word are still to come.
  ring_[Slot(top)] = 0xffffffffu >> (kWordBits - 1 - (top % kWordBits));
}

Freshness ReplayWindow::Judge(uint64_t sequence) const {
  // RFC 4303 §3.3.3: the first packet has 1, and without extended numbers the counter must not cycle.
  if (sequence == 0) return Freshness::kReplayed;
  if (sequence > top_) return Freshness::kNewest;
  if (top_ - sequence >= size_) return Freshness::kTooOld;
  return ((ring_[Slot(sequence)] >> (sequence % kWordBits)) & 1) == 1 ? Freshness::kReplayed : Freshness::kFresh;
}

void ReplayWindow::Accept(uint64_t sequence) {
  if (sequence > top_) {
    const uint64_t to = sequence / kWordBits;
    const uint64_t moved = std::min<uint64_t>(to - top_ / kWordBits, words_);
    for (uint64_t step = 0; step < moved; step++) ring_[(to - step) & (words_ - 1)] = 0;
    top_ = sequence;
  }
  ring_[Slot(sequence)] |= 1u << (sequence % kWordBits);
}

uint64_t ReplayWindow::Inferred(uint32_t low) const {
  const uint32_t topLow = static_cast<uint32_t>(top_);
  const uint64_t high = top_ >> 32;
  const uint32_t bottom = topLow - size_ + 1;
  if (topLow >= size_ - 1) {
    // Case A: the window lies within one half.
    const uint64_t subspace = low >= bottom ? high : high + 1;
    return (subspace << 32) | low;
  }
  // Case B: it spans two halves. Before the first wrap there is nothing below zero.
  const uint64_t subspace = low >= bottom && high > 0 ? high - 1 : high;
  return (subspace << 32) | low;
}

}  // namespace culvert
