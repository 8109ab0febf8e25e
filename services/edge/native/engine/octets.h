// Big-endian octets, and the Internet checksum (RFC 1071) over them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace culvert {

inline uint16_t Load16(const uint8_t* at) {
  uint16_t word;
  std::memcpy(&word, at, sizeof word);
  return __builtin_bswap16(word);
}

inline uint32_t Load32(const uint8_t* at) {
  uint32_t word;
  std::memcpy(&word, at, sizeof word);
  return __builtin_bswap32(word);
}

inline uint64_t Load64(const uint8_t* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return __builtin_bswap64(word);
}

inline void Store16(uint8_t* at, uint16_t value) {
  const uint16_t word = __builtin_bswap16(value);
  std::memcpy(at, &word, sizeof word);
}

inline void Store32(uint8_t* at, uint32_t value) {
  const uint32_t word = __builtin_bswap32(value);
  std::memcpy(at, &word, sizeof word);
}

inline void Store64(uint8_t* at, uint64_t value) {
  const uint64_t word = __builtin_bswap64(value);
  std::memcpy(at, &word, sizeof word);
}

// A running sum of 16-bit words as they lie in memory: order of octets does not matter to a one's
// complement sum (RFC 1071 §2), so nothing is swapped until the checksum is stored. `octets` must begin
// at an even place of what is summed.
uint64_t SumOf(const uint8_t* at, size_t octets, uint64_t initial = 0);
// The same while copying: one pass over the memory.
uint64_t SumCopy(uint8_t* to, const uint8_t* from, size_t octets, uint64_t initial = 0);

// Of headers: a multiple of four octets, not worth a call.
inline uint64_t SumHeader(const uint8_t* at, size_t octets, uint64_t sum = 0) {
  for (size_t i = 0; i < octets; i += 4) {
    uint32_t words;
    std::memcpy(&words, at + i, sizeof words);
    sum += words;
    // For so few words, vectors take longer than they save.
    asm("" : "+r"(sum));
  }
  return sum;
}

inline uint16_t Folded(uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

// A word that is not in memory, as the sum sees it.
inline uint64_t Word(uint16_t value) { return __builtin_bswap16(value); }

inline void StoreChecksum(uint8_t* at, uint64_t sum) {
  const uint16_t word = static_cast<uint16_t>(~Folded(sum));
  std::memcpy(at, &word, sizeof word);
}

// RFC 768, RFC 8200 §8.1: 4 or 16 octets an address.
inline uint64_t PseudoHeader(const uint8_t* source, const uint8_t* destination, size_t octets, uint8_t protocol,
                             size_t length) {
  return SumHeader(source, octets, SumHeader(destination, octets)) + Word(protocol) + Word(static_cast<uint16_t>(length)) +
         Word(static_cast<uint16_t>(length >> 16));
}

// RFC 1624 §3, equation 3: the checksum at `checksum` after the word `before` became `after`.
inline void UpdateChecksum(uint8_t* checksum, uint16_t before, uint16_t after) {
  const uint32_t sum = static_cast<uint16_t>(~Load16(checksum)) + static_cast<uint16_t>(~before) + uint32_t{after};
  uint32_t folded = (sum & 0xffff) + (sum >> 16);
  folded = (folded & 0xffff) + (folded >> 16);
  Store16(checksum, static_cast<uint16_t>(~folded));
}

}  // namespace culvert
