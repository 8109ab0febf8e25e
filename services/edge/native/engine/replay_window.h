// Anti-replay window of RFC 4303 §3.4.3 as a ring of words (RFC 6479), and the inference of the high half
// of extended sequence numbers (RFC 4303 appendix A2).
#pragma once

#include <cstdint>
#include <memory>

namespace culvert {

enum class Freshness : uint8_t { kNewest, kFresh, kReplayed, kTooOld };

class ReplayWindow {
 public:
  // `size` is rounded up to whole words. All up to `top` counts as seen.
  ReplayWindow(uint32_t size, uint64_t top);

  uint64_t top() const { return top_; }
  Freshness Judge(uint64_t sequence) const;
  // For an authenticated number that is newest or fresh.
  void Accept(uint64_t sequence);
  // The whole number whose low half came in.
  uint64_t Inferred(uint32_t low) const;
  size_t octets() const { return words_ * sizeof(uint32_t); }

 private:
  uint32_t Slot(uint64_t sequence) const { return static_cast<uint32_t>(sequence >> 5) & (words_ - 1); }

  uint64_t top_;
  uint32_t size_;
  // A power of two, and more than the window needs, so that moving it clears whole words.
  uint32_t words_;
  std::unique_ptr<uint32_t[]> ring_;
};

}  // namespace culvert
