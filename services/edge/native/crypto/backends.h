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
  uint64_t difference = 0;
  // An ICV is whole words of four octets.
  for (size_t index = 0; index < octets; index += 4) {
    uint32_t left, right;
    memcpy(&left, a + index, sizeof left);
    memcpy(&right, b + index, sizeof right);
    difference |= left ^ right;
    // No compiler makes a comparison out of the loop.
    asm("" : "+r"(difference));
  }
  return difference == 0;
}

// RFC 4106 §4 and §5.
struct GcmInput {
  uint8_t nonce[12];
  uint8_t extended[12];
  const uint8_t* aad;
  size_t aadOctets;

  GcmInput(const ContextHead& head, const Job& job) {
    memcpy(nonce, head.salt, kSaltOctets);
    memcpy(nonce + kSaltOctets, job.packet + kEspHeaderOctets, 8);
    if (!job.esn) {
      aad = job.packet;
      aadOctets = kEspHeaderOctets;
      return;
    }
    memcpy(extended, job.packet, 4);
    StoreBig(extended + 4, job.sequenceHigh);
    memcpy(extended + 8, job.packet + 4, 4);
    aad = extended;
    aadOctets = sizeof extended;
  }
};

inline uint8_t* BodyOf(const ContextHead& head, const Job& job) {
  return job.packet + kEspHeaderOctets + IvOctets(head.suite.cipher);
}

inline uint8_t* ClearOf(const ContextHead& head, const Job& job) {
  return job.clear != nullptr ? job.clear : BodyOf(head, job);
}

// For a packet that could not be sealed.
inline void Withhold(const ContextHead& head, Job& job) {
  memset(BodyOf(head, job), 0, job.bodyOctets + job.icvOctets);
  job.ok = false;
}

}  // namespace culvert::crypto
