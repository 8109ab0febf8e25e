// The ciphers of ESP, many packets at a time. Two programs can do it: intel-ipsec-mb, which works on several
// packets in parallel, and the OpenSSL inside Node, which is there on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace culvert::crypto {

enum class Cipher : uint8_t { kAesCbc128, kAesCbc192, kAesCbc256, kTripleDesCbc, kAesGcm128, kAesGcm256 };
enum class Mac : uint8_t { kNone, kHmacSha1_96, kHmacSha256_128, kHmacSha384_192, kHmacSha512_256 };

constexpr size_t kCiphers = 6;
constexpr size_t kMacs = 5;

// AES-GCM brings its own integrity: it stands with kNone, everything else with a MAC.
struct Suite {
  Cipher cipher;
  Mac mac;
};

constexpr size_t kEspHeaderOctets = 8;
constexpr size_t kSaltOctets = 4;
constexpr size_t kIcvOctetsMax = 32;

constexpr bool IsGcm(Cipher cipher) { return cipher == Cipher::kAesGcm128 || cipher == Cipher::kAesGcm256; }

constexpr bool IsUsable(Suite suite) { return IsGcm(suite.cipher) == (suite.mac == Mac::kNone); }

constexpr size_t KeyOctets(Cipher cipher) {
  constexpr size_t octets[kCiphers] = {16, 24, 32, 24, 16, 32};
  return octets[static_cast<size_t>(cipher)];
}

// RFC 2404 §3, RFC 4868 §2.1.1: as long as the hash.
constexpr size_t MacKeyOctets(Mac mac) {
  constexpr size_t octets[kMacs] = {0, 20, 32, 48, 64};
  return octets[static_cast<size_t>(mac)];
}

constexpr size_t IvOctets(Cipher cipher) {
  return IsGcm(cipher) || cipher == Cipher::kTripleDesCbc ? 8 : 16;
}

// What the ciphertext's length is a multiple of (RFC 4303 §2.4).
constexpr size_t BlockOctets(Cipher cipher) {
  return IsGcm(cipher) ? 4 : cipher == Cipher::kTripleDesCbc ? 8 : 16;
}

constexpr size_t IcvOctets(Suite suite) {
  constexpr size_t octets[kMacs] = {16, 12, 16, 24, 32};
  return octets[static_cast<size_t>(suite.mac)];
}

struct Keys {
  Suite suite;
  uint8_t encryption[32];
  uint8_t integrity[64];
  uint8_t salt[kSaltOctets];
};

enum class Direction : uint8_t { kSeal, kOpen };

// One ESP packet, worked on in place; with AES-GCM the plaintext may lie elsewhere.
struct Job {
  void* context;          // expanded keys, made by Backend::Init
  uint8_t* packet;        // SPI | sequence | IV | body | ICV; the IV is there already when sealing
  uint32_t bodyOctets;    // the ciphertext: whole blocks, not empty
  uint32_t sequenceHigh;  // read when `esn`
  uint8_t icvOctets;      // IcvOctets(suite), or 12 for a SHA-256 truncated as draft-ietf-ipsec-ciph-sha-256-00 had it
  // RFC 4303 §2.2.1: the high half is covered by the ICV but not sent. GCM has it between SPI and sequence
  // number (RFC 4106 §5), the HMACs behind the body.
  bool esn;
  // Opening: the ICV holds, and only then is the body plaintext. Sealing: false only when the backend itself
  // failed, and then body and ICV are zeros: plaintext must not leave.
  bool ok;
  // AES-GCM alone: where the plaintext is (sealing) or goes (opening). Null: where the ciphertext is.
  uint8_t* clear = nullptr;
};

// Not thread safe: each worker has its own.
class Backend {
 public:
  virtual ~Backend();
  virtual const char* name() const = 0;
  // How much memory a context takes, which the caller provides, aligned to kContextAlignment.
  virtual size_t ContextOctets(Suite suite, Direction direction) const = 0;
  virtual void Init(void* context, const Keys& keys, Direction direction) = 0;
  // Wipes the keys.
  virtual void Destroy(void* context) = 0;
  // Suites may be mixed within a call. No two jobs may share octets.
  virtual void Seal(Job* jobs, size_t count) = 0;
  virtual void Open(Job* jobs, size_t count) = 0;
};

constexpr size_t kContextAlignment = 64;

// `wanted`: "ipsec-mb", "openssl", or "" for the best there is. Null when it is not there or gives a wrong
// answer to SelfTest; `why` says it. For "" it says why the better one was passed over.
std::unique_ptr<Backend> NewBackend(const char* wanted, std::string& why);

// Known answers of every suite in both directions, alone and in company, and that a wrong ICV is refused.
bool SelfTest(Backend& backend, std::string& why);

struct IvRequest {
  uint32_t spi;
  uint32_t sequence;
  uint8_t* out;
  uint8_t octets;  // 8 or 16
};

// IVs for CBC, which an observer cannot predict (RFC 3602 §3): AES-256 of a number that does not come twice.
// The TypeScript engine's source gives the same.
class IvSource {
 public:
  IvSource(uint32_t prefix, const uint8_t key[32]);
  ~IvSource();
  IvSource(const IvSource&) = delete;
  IvSource& operator=(const IvSource&) = delete;

  void Unpredictable(IvRequest* requests, size_t count);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace culvert::crypto
