// The compiler makes one version per instruction set; the loader picks.
#include "octets.h"

namespace culvert {
namespace {

inline uint64_t Tail(const uint8_t* at, size_t octets) {
  uint64_t sum = 0;
  size_t i = 0;
  for (; i + 2 <= octets; i += 2) {
    uint16_t word;
    std::memcpy(&word, at + i, sizeof word);
    sum += word;
  }
  // An odd last octet is the first of a word whose second is zero.
  if (i < octets) sum += at[i];
  return sum;
}

constexpr size_t kStride = 64;

}  // namespace

#if defined(__x86_64__)
#define CULVERT_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CULVERT_CLONES
#endif

CULVERT_CLONES uint64_t SumOf(const uint8_t* at, size_t octets, uint64_t initial) {
  uint64_t lanes[8] = {initial, 0, 0, 0, 0, 0, 0, 0};
  size_t i = 0;
  for (; i + kStride <= octets; i += kStride) {
    uint32_t words[16];
    std::memcpy(words, at + i, kStride);
    for (size_t lane = 0; lane < 8; lane++) lanes[lane] += uint64_t{words[lane]} + words[lane + 8];
  }
  uint64_t sum = Tail(at + i, octets - i);
  for (const uint64_t lane : lanes) sum += lane;
  return sum;
}

CULVERT_CLONES uint64_t SumCopy(uint8_t* to, const uint8_t* from, size_t octets, uint64_t initial) {
  uint64_t lanes[8] = {initial, 0, 0, 0, 0, 0, 0, 0};
  size_t i = 0;
  for (; i + kStride <= octets; i += kStride) {
    uint32_t words[16];
    std::memcpy(words, from + i, kStride);
    std::memcpy(to + i, words, kStride);
    for (size_t lane = 0; lane < 8; lane++) lanes[lane] += uint64_t{words[lane]} + words[lane + 8];
  }
  std::memcpy(to + i, from + i, octets - i);
  uint64_t sum = Tail(from + i, octets - i);
  for (const uint64_t lane : lanes) sum += lane;
  return sum;
}

}  // namespace culvert
