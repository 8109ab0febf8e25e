// The fuzzer's octets as numbers and strings; beyond their end everything is zero and empty.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace culvert::fuzz {

// Unlike assert it is there in every build, and says what broke.
inline void Must(bool holds, const char* law) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", law);
  std::abort();
}

class Input {
 public:
  Input(const uint8_t* at, size_t length) : at_(at), end_(at + length) {}

  bool done() const { return at_ == end_; }
  uint8_t U8() { return done() ? 0 : *at_++; }
  uint16_t U16() { return static_cast<uint16_t>((U8() << 8) | U8()); }
  uint32_t U32() { return (uint32_t{U16()} << 16) | U16(); }
  uint64_t U64() { return (uint64_t{U32()} << 32) | U32(); }
  // Of its own size on the heap, so that a step beyond it is noticed.
  std::vector<uint8_t> Octets(size_t length) {
    const size_t taken = std::min(length, static_cast<size_t>(end_ - at_));
    std::vector<uint8_t> octets(at_, at_ + taken);
    at_ += taken;
    return octets;
  }
  // A length, and what it counts.
  std::vector<uint8_t> Counted() { return Octets(U16()); }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

}  // namespace culvert::fuzz
