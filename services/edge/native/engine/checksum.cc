// Sums over whole payloads, with the widest registers that the processor has: on the packet path this is as
// much work as the cipher.
#include "octets.h"

#if defined(__x86_64__)
// GCC 12 warns of values in its own header that are undefined on purpose.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#endif

namespace culvert {
namespace {

// What is left of a vector, and everything where there are none.
inline uint64_t Tail(const uint8_t* at, size_t octets) {
  uint64_t sum = 0;
  size_t i = 0;
  for (; i + 4 <= octets; i += 4) {
    uint32_t words;
    std::memcpy(&words, at + i, sizeof words);
    sum += words;
  }
  if (i + 2 <= octets) {
    uint16_t word;
    std::memcpy(&word, at + i, sizeof word);
    sum += word;
    i += 2;
  }
  // An odd last octet is the first of a word whose second is zero.
  if (i < octets) sum += at[i];
  return sum;
}

uint64_t PlainSum(uint8_t* to, const uint8_t* from, size_t octets) {
  if (to != nullptr) std::memcpy(to, from, octets);
  return Tail(from, octets);
}

#if defined(__x86_64__)
// 32-bit words into 64-bit lanes: no lane overflows within any packet. `to` null: nothing is copied.
__attribute__((target("avx512f"))) uint64_t WideSum(uint8_t* to, const uint8_t* from, size_t octets) {
  const __m512i low = _mm512_set1_epi64(0xffffffff);
  __m512i even = _mm512_setzero_si512();
  __m512i odd = _mm512_setzero_si512();
  size_t i = 0;
  for (; i + 64 <= octets; i += 64) {
    const __m512i words = _mm512_loadu_si512(from + i);
    if (to != nullptr) _mm512_storeu_si512(to + i, words);
    even = _mm512_add_epi64(even, _mm512_and_si512(words, low));
    odd = _mm512_add_epi64(odd, _mm512_srli_epi64(words, 32));
  }
  if (to != nullptr) std::memcpy(to + i, from + i, octets - i);
  return static_cast<uint64_t>(_mm512_reduce_add_epi64(_mm512_add_epi64(even, odd))) + Tail(from + i, octets - i);
}

__attribute__((target("avx2"))) uint64_t HalfWideSum(uint8_t* to, const uint8_t* from, size_t octets) {
  const __m256i low = _mm256_set1_epi64x(0xffffffff);
  __m256i even = _mm256_setzero_si256();
  __m256i odd = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 32 <= octets; i += 32) {
    const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
    if (to != nullptr) _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), words);
    even = _mm256_add_epi64(even, _mm256_and_si256(words, low));
    odd = _mm256_add_epi64(odd, _mm256_srli_epi64(words, 32));
  }
  if (to != nullptr) std::memcpy(to + i, from + i, octets - i);
  uint64_t lanes[4];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), _mm256_add_epi64(even, odd));
  return lanes[0] + lanes[1] + lanes[2] + lanes[3] + Tail(from + i, octets - i);
}
#endif

using Summer = uint64_t (*)(uint8_t*, const uint8_t*, size_t);

Summer Widest() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return WideSum;
  if (__builtin_cpu_supports("avx2")) return HalfWideSum;
#endif
  return PlainSum;
}

const Summer kSummer = Widest();
// A header is summed sooner than it is dispatched.
constexpr size_t kShort = 64;

}  // namespace

uint64_t SumOf(const uint8_t* at, size_t octets, uint64_t initial) {
  return initial + (octets <= kShort ? Tail(at, octets) : kSummer(nullptr, at, octets));
}

uint64_t SumCopy(uint8_t* to, const uint8_t* from, size_t octets, uint64_t initial) {
  if (octets > kShort) return initial + kSummer(to, from, octets);
  std::memcpy(to, from, octets);
  return initial + Tail(from, octets);
}

}  // namespace culvert
