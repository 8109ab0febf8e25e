#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>

#include "backends.h"

namespace culvert::crypto {

namespace {
constexpr size_t kBlock = 16;
constexpr size_t kBlocks = 64;
}  // namespace

struct IvSource::State {
  uint32_t prefix;
  EVP_CIPHER_CTX* cipher;
  uint8_t counters[kBlocks * kBlock];
  uint8_t blocks[kBlocks * kBlock];

  ~State() { EVP_CIPHER_CTX_free(cipher); }
};

IvSource::IvSource(uint32_t prefix, const uint8_t key[32]) : state_(new State{prefix, EVP_CIPHER_CTX_new(), {}, {}}) {
  EVP_CIPHER_CTX* cipher = state_->cipher;
  // ECB without padding is the bare block function.
  if (cipher == nullptr || EVP_EncryptInit_ex(cipher, EVP_aes_256_ecb(), nullptr, key, nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(cipher, 0) != 1) {
    throw std::runtime_error("AES-256 cannot be set up");
  }
}

IvSource::~IvSource() = default;

void IvSource::Unpredictable(IvRequest* requests, size_t count) {
  State& state = *state_;
  for (size_t first = 0; first < count; first += kBlocks) {
    const size_t some = std::min(count - first, kBlocks);
    for (size_t index = 0; index < some; index++) {
      uint8_t* counter = state.counters + index * kBlock;
      StoreBig(counter, state.prefix);
      StoreBig(counter + 4, requests[first + index].sequence);
      StoreBig(counter + 8, requests[first + index].spi);
    }
    int written = 0;
    const int octets = static_cast<int>(some * kBlock);
    if (EVP_EncryptUpdate(state.cipher, state.blocks, &written, state.counters, octets) != 1 || written != octets) {
      throw std::runtime_error("AES-256 failed");
    }
    for (size_t index = 0; index < some; index++) {
      const IvRequest& request = requests[first + index];
      memcpy(request.out, state.blocks + index * kBlock, request.octets);
    }
  }
}

}  // namespace culvert::crypto
