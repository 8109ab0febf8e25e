#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <iterator>
#include <new>
#include <stdexcept>

#include "backends.h"

namespace culvert::crypto {
namespace {

struct FreeEvp {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
  void operator()(EVP_MAC_CTX* mac) const { EVP_MAC_CTX_free(mac); }
};
using CipherHandle = std::unique_ptr<EVP_CIPHER, FreeEvp>;
using MacHandle = std::unique_ptr<EVP_MAC_CTX, FreeEvp>;

constexpr const char* kCipherNames[kCiphers] = {"AES-128-CBC",  "AES-192-CBC", "AES-256-CBC",
                                                "DES-EDE3-CBC", "AES-128-GCM", "AES-256-GCM"};
constexpr const char* kDigestNames[kMacs] = {"", "SHA1", "SHA2-256", "SHA2-384", "SHA2-512"};

struct Context {
  ContextHead head;
  EVP_CIPHER_CTX* cipher;
  EVP_MAC_CTX* mac;
};

class Openssl final : public Backend {
 public:
  Openssl() {
    name_ = std::string("openssl ") + OpenSSL_version(OPENSSL_VERSION_STRING);
    for (size_t index = 0; index < kCiphers; index++) {
      ciphers_[index].reset(EVP_CIPHER_fetch(nullptr, kCipherNames[index], nullptr));
    }
    EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    for (size_t index = 1; hmac != nullptr && index < kMacs; index++) {
      char* digest = const_cast<char*>(kDigestNames[index]);
      const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                       OSSL_PARAM_construct_end()};
      macs_[index].reset(EVP_MAC_CTX_new(hmac));
      if (macs_[index] == nullptr || EVP_MAC_CTX_set_params(macs_[index].get(), parameters) != 1) macs_[index].reset();
    }
    EVP_MAC_free(hmac);
  }

  bool complete() const {
    const auto is = [](const auto& handle) { return handle != nullptr; };
    return std::all_of(std::begin(ciphers_), std::end(ciphers_), is) &&
           std::all_of(std::begin(macs_) + 1, std::end(macs_), is);
  }

  const char* name() const override { return name_.c_str(); }
  size_t ContextOctets(Suite, Direction) const override { return sizeof(Context); }
  void Init(void* memory, const Keys& keys, Direction direction) override;
  void Destroy(void* memory) override;
  void Seal(Job* jobs, size_t count) override;
  void Open(Job* jobs, size_t count) override;

 private:
  std::string name_;
  CipherHandle ciphers_[kCiphers];
  // Without a key, to be copied: looking a hash up by its name takes longer than setting a key.
  MacHandle macs_[kMacs];
};

void Openssl::Init(void* memory, const Keys& keys, Direction direction) {
  auto* context = new (memory) Context{{keys.suite, {}}, EVP_CIPHER_CTX_new(), nullptr};
  memcpy(context->head.salt, keys.salt, kSaltOctets);
  const EVP_CIPHER* cipher = ciphers_[static_cast<size_t>(keys.suite.cipher)].get();
  const int sealing = direction == Direction::kSeal ? 1 : 0;
  bool good = context->cipher != nullptr &&
              EVP_CipherInit_ex(context->cipher, cipher, nullptr, keys.encryption, nullptr, sealing) == 1 &&
              EVP_CIPHER_CTX_set_padding(context->cipher, 0) == 1;
  if (good && keys.suite.mac != Mac::kNone) {
    context->mac = EVP_MAC_CTX_dup(macs_[static_cast<size_t>(keys.suite.mac)].get());
    good = context->mac != nullptr &&
           EVP_MAC_init(context->mac, keys.integrity, MacKeyOctets(keys.suite.mac), nullptr) == 1;
  }
  if (!good) {
    Destroy(memory);
    ERR_clear_error();
    throw std::runtime_error("OpenSSL cannot set up an ESP cipher");
  }
}

// Freeing an EVP context wipes the keys in it.
void Openssl::Destroy(void* memory) {
  auto* context = static_cast<Context*>(memory);
  EVP_CIPHER_CTX_free(context->cipher);
  EVP_MAC_CTX_free(context->mac);
  OPENSSL_cleanse(context, sizeof *context);
}

bool Transforms(EVP_CIPHER_CTX* cipher, const uint8_t* iv, uint8_t* body, uint32_t octets) {
  int written = 0;
  return EVP_CipherInit_ex(cipher, nullptr, nullptr, nullptr, iv, -1) == 1 &&
         EVP_CipherUpdate(cipher, body, &written, body, static_cast<int>(octets)) == 1 &&
         written == static_cast<int>(octets);
}

// `icv` has room for the whole hash's ICV.
bool Authenticates(const Context& context, const Job& job, uint8_t* icv) {
  uint8_t whole[EVP_MAX_MD_SIZE];
  size_t octets = 0;
  uint8_t high[4];
  StoreBig(high, job.sequenceHigh);
  const uint8_t* end = BodyOf(context.head, job) + job.bodyOctets;
  if (EVP_MAC_init(context.mac, nullptr, 0, nullptr) != 1 ||
      EVP_MAC_update(context.mac, job.packet, static_cast<size_t>(end - job.packet)) != 1 ||
      (job.esn && EVP_MAC_update(context.mac, high, sizeof high) != 1) ||
      EVP_MAC_final(context.mac, whole, &octets, sizeof whole) != 1 || octets < job.icvOctets) {
    return false;
  }
  memcpy(icv, whole, job.icvOctets);
  return true;
}

bool SealGcm(const Context& context, Job& job) {
  const GcmInput input(context.head, job);
  uint8_t* body = BodyOf(context.head, job);
  uint8_t* icv = body + job.bodyOctets;
  EVP_CIPHER_CTX* cipher = context.cipher;
  int written = 0;
  return EVP_CipherInit_ex(cipher, nullptr, nullptr, nullptr, input.nonce, -1) == 1 &&
         EVP_CipherUpdate(cipher, nullptr, &written, input.aad, static_cast<int>(input.aadOctets)) == 1 &&
         EVP_CipherUpdate(cipher, body, &written, ClearOf(context.head, job), static_cast<int>(job.bodyOctets)) == 1 &&
         EVP_CipherFinal_ex(cipher, icv, &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, 16, icv) == 1;
}

bool OpenGcm(const Context& context, Job& job) {
  const GcmInput input(context.head, job);
  uint8_t* body = BodyOf(context.head, job);
  uint8_t* icv = body + job.bodyOctets;
  EVP_CIPHER_CTX* cipher = context.cipher;
  int written = 0;
  uint8_t none[16];
  return EVP_CipherInit_ex(cipher, nullptr, nullptr, nullptr, input.nonce, -1) == 1 &&
         EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, 16, icv) == 1 &&
         EVP_CipherUpdate(cipher, nullptr, &written, input.aad, static_cast<int>(input.aadOctets)) == 1 &&
         EVP_CipherUpdate(cipher, ClearOf(context.head, job), &written, body, static_cast<int>(job.bodyOctets)) == 1 &&
         EVP_CipherFinal_ex(cipher, none, &written) == 1;
}

void Openssl::Seal(Job* jobs, size_t count) {
  for (Job* job = jobs; job != jobs + count; job++) {
    const auto& context = *static_cast<const Context*>(job->context);
    if (IsGcm(context.head.suite.cipher)) {
      job->ok = SealGcm(context, *job);
    } else {
      uint8_t* body = BodyOf(context.head, *job);
      job->ok = Transforms(context.cipher, job->packet + kEspHeaderOctets, body, job->bodyOctets) &&
                Authenticates(context, *job, body + job->bodyOctets);
    }
    if (!job->ok) {
      Withhold(context.head, *job);
      ERR_clear_error();
    }
  }
}

void Openssl::Open(Job* jobs, size_t count) {
  for (Job* job = jobs; job != jobs + count; job++) {
    const auto& context = *static_cast<const Context*>(job->context);
    if (IsGcm(context.head.suite.cipher)) {
      job->ok = OpenGcm(context, *job);
      // OpenSSL's way of saying that the tag is wrong leaves an entry in this thread's queue of errors.
      if (!job->ok) ERR_clear_error();
      continue;
    }
    uint8_t* body = BodyOf(context.head, *job);
    uint8_t expected[kIcvOctetsMax];
    job->ok = Authenticates(context, *job, expected) &&
              SameOctets(expected, body + job->bodyOctets, job->icvOctets) &&
              Transforms(context.cipher, job->packet + kEspHeaderOctets, body, job->bodyOctets);
  }
}

}  // namespace

std::unique_ptr<Backend> NewOpenssl(std::string& why) {
  auto backend = std::make_unique<Openssl>();
  if (backend->complete()) return backend;
  ERR_clear_error();
  why = "openssl: it lacks a cipher of ESP";
  return nullptr;
}

}  // namespace culvert::crypto
