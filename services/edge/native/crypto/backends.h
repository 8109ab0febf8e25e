// What the two backends and the code that chooses between them share.
#pragma once

#include <cstring>

#include "crypto.h"

namespace culvert::crypto {

// Null when this machine or this build does not have it.
std::unique_ptr<Backend> NewIpsecMb(std::string& why);
std::unique_ptr<Backend> NewOpenssl(std::string& why);

// What stands in front of the expanded keys, whoever expanded them.
struct ContextHead {
  Suite suite;
  uint8_t salt[kSaltOctets];
};

inline void StoreBig(uint8_t* out, uint32_t value) {
  const uint8_t octets[4] = {static_cast<uint8_t>(value >> 24), static_cast<uint8_t>(value >> 16),
                             static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
  memcpy(out, octets, sizeof octets);
}

// Takes as long whether the first octet differs or the last.
inline bool SameOctets(const uint8_t* a, const uint8_t* b, size_t octets) {
  uint8_t difference = 0;
  for (size_t index = 0; index < octets; index++) difference |= a[index] ^ b[index];
  // Read through a volatile, so that no compiler makes a comparison out of the loop.
  volatile uint8_t result = difference;
  return result == 0;
}

// RFC 4106 §4 and §5.
struct GcmInput {
  uint8_t nonce[12];
  uint8_t aad[12];
  size_t aadOctets;

  GcmInput(const ContextHead& head, const Job& job) {
    memcpy(nonce, head.salt, kSaltOctets);
    memcpy(nonce + kSaltOctets, job.packet + kEspHeaderOctets, 8);
    memcpy(aad, job.packet, 4);
    if (job.esn) {
      StoreBig(aad + 4, job.sequenceHigh);
      memcpy(aad + 8, job.packet + 4, 4);
      aadOctets = 12;
    } else {
      memcpy(aad + 4, job.packet + 4, 4);
      aadOctets = 8;
    }
  }
};

inline uint8_t* BodyOf(const ContextHead& head, const Job& job) {
  return job.packet + kEspHeaderOctets + IvOctets(head.suite.cipher);
}

// For a packet that could not be sealed.
inline void Withhold(const ContextHead& head, Job& job) {
  memset(BodyOf(head, job), 0, job.bodyOctets + job.icvOctets);
  job.ok = false;
}

}  // namespace culvert::crypto
