#include <array>
#include <cstdlib>
#include <new>
#include <vector>

#include "backends.h"
#include "known_answers.h"

namespace culvert::crypto {
namespace {

using Bytes = std::vector<uint8_t>;

struct Case {
  Keys keys;
  Bytes sealed;
  Bytes plain;
  bool esn;
  uint32_t sequenceHigh;
};

Bytes Hex(const char* digits) {
  Bytes bytes(strlen(digits) / 2);
  for (size_t index = 0; index < bytes.size(); index++) {
    const char pair[3] = {digits[2 * index], digits[2 * index + 1], 0};
    bytes[index] = static_cast<uint8_t>(strtoul(pair, nullptr, 16));
  }
  return bytes;
}

void Pattern(uint8_t* out, size_t octets, uint8_t seed) {
  for (size_t index = 0; index < octets; index++) out[index] = static_cast<uint8_t>(index * 7 + seed);
}

Bytes PatternOf(size_t octets, uint8_t seed) {
  Bytes bytes(octets);
  Pattern(bytes.data(), octets, seed);
  return bytes;
}

Bytes Joined(std::initializer_list<Bytes> parts) {
  Bytes whole;
  for (const Bytes& part : parts) whole.insert(whole.end(), part.begin(), part.end());
  return whole;
}

Keys PatternedKeys(Suite suite) {
  Keys keys{suite, {}, {}, {}};
  Pattern(keys.encryption, KeyOctets(suite.cipher), kKeySeed);
  Pattern(keys.integrity, MacKeyOctets(suite.mac), kIntegritySeed);
  Pattern(keys.salt, kSaltOctets, kSaltSeed);
  return keys;
}

Case FromPublished(const Published& row) {
  Keys keys = PatternedKeys(row.suite);
  const Bytes key = Hex(row.key);
  const Bytes salt = Hex(row.salt);
  memcpy(keys.encryption, key.data(), key.size());
  if (!salt.empty()) memcpy(keys.salt, salt.data(), salt.size());
  return {keys, Joined({Hex(row.header), Hex(row.iv), Hex(row.body), Hex(row.icv)}), Hex(row.plain),
          row.sequenceHigh.has_value(), row.sequenceHigh.value_or(0)};
}

// The body is not known beforehand: `Known` fills it in.
Case FromPattern(const Patterned& row) {
  return {PatternedKeys(row.suite),
          Joined({Hex(kPatternedHeader), PatternOf(IvOctets(row.suite.cipher), kIvSeed), Bytes(row.bodyOctets),
                  Hex(row.icv)}),
          PatternOf(row.bodyOctets, kBodySeed), row.esn, kPatternedHigh};
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const Published& row : kPublished) cases.push_back(FromPublished(row));
  for (const Patterned& row : kPatterned) cases.push_back(FromPattern(row));
  return cases;
}

class Contexts {
 public:
  explicit Contexts(Backend& backend) : backend_(backend) {}
  Contexts(const Contexts&) = delete;
  Contexts& operator=(const Contexts&) = delete;
  ~Contexts() {
    for (void* context : made_) {
      backend_.Destroy(context);
      ::operator delete(context, std::align_val_t{kContextAlignment});
    }
  }

  void* Make(const Keys& keys, Direction direction) {
    const size_t octets = backend_.ContextOctets(keys.suite, direction);
    void* memory = ::operator new(octets, std::align_val_t{kContextAlignment});
    try {
      backend_.Init(memory, keys, direction);
    } catch (...) {
      ::operator delete(memory, std::align_val_t{kContextAlignment});
      throw;
    }
    made_.push_back(memory);
    return memory;
  }

 private:
  Backend& backend_;
  std::vector<void*> made_;
};

constexpr const char* kCipherNames[kCiphers] = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC",
                                                "3DES-CBC",    "AES-128-GCM", "AES-256-GCM"};
constexpr const char* kMacNames[kMacs] = {"", " with HMAC-SHA1", " with HMAC-SHA-256", " with HMAC-SHA-384",
                                          " with HMAC-SHA-512"};

std::string NameOf(Suite suite) {
  return std::string(kCipherNames[static_cast<size_t>(suite.cipher)]) + kMacNames[static_cast<size_t>(suite.mac)];
}

size_t BodyAt(const Case& known) { return kEspHeaderOctets + IvOctets(known.keys.suite.cipher); }

Job JobOf(void* context, const Case& known, Bytes& packet) {
  return {context,
          packet.data(),
          static_cast<uint32_t>(known.plain.size()),
          known.sequenceHigh,
          static_cast<uint8_t>(IcvOctets(known.keys.suite)),
          known.esn,
          false};
}

Bytes Unsealed(const Case& known) {
  Bytes packet(known.sealed.size(), 0xa5);
  memcpy(packet.data(), known.sealed.data(), BodyAt(known));
  memcpy(packet.data() + BodyAt(known), known.plain.data(), known.plain.size());
  return packet;
}

// All of the cases in one call, there and back, with one packet spoilt on the way: alone it must be refused.
bool Holds(Backend& backend, const std::vector<const Case*>& cases, size_t spoilt, std::string& why) {
  Contexts contexts(backend);
  std::vector<Bytes> packets;
  std::vector<Job> sealing;
  std::vector<Job> opening;
  packets.reserve(cases.size());
  for (const Case* known : cases) {
    packets.push_back(Unsealed(*known));
    sealing.push_back(JobOf(contexts.Make(known->keys, Direction::kSeal), *known, packets.back()));
    opening.push_back(JobOf(contexts.Make(known->keys, Direction::kOpen), *known, packets.back()));
  }
  const auto wrong = [&](size_t index, const char* what) {
    why = std::string(backend.name()) + ": " + NameOf(cases[index]->keys.suite) + " " + what;
    return false;
  };
  backend.Seal(sealing.data(), sealing.size());
  for (size_t index = 0; index < cases.size(); index++) {
    if (!sealing[index].ok || packets[index] != cases[index]->sealed) return wrong(index, "does not seal as it should");
  }
  // Each time at another place, the ICV's last octet among them.
  Bytes& victim = packets[spoilt];
  victim[spoilt % 2 == 0 ? victim.size() - 1 : BodyAt(*cases[spoilt])] ^= 1;
  backend.Open(opening.data(), opening.size());
  for (size_t index = 0; index < cases.size(); index++) {
    const Case& known = *cases[index];
    if (index == spoilt) {
      if (opening[index].ok) return wrong(index, "takes a packet that was changed");
    } else if (!opening[index].ok ||
               memcmp(packets[index].data() + BodyAt(known), known.plain.data(), known.plain.size()) != 0) {
      return wrong(index, "does not open as it should");
    }
  }
  return true;
}

// Sealed alone, the ICV must be the expected one; it vouches for the ciphertext, which is kept.
bool Known(Backend& backend, Case& known, std::string& why) {
  Contexts contexts(backend);
  Bytes packet = Unsealed(known);
  Job job = JobOf(contexts.Make(known.keys, Direction::kSeal), known, packet);
  backend.Seal(&job, 1);
  const size_t bodyEnd = BodyAt(known) + known.plain.size();
  if (!job.ok || memcmp(packet.data() + bodyEnd, known.sealed.data() + bodyEnd, packet.size() - bodyEnd) != 0) {
    why = std::string(backend.name()) + ": " + NameOf(known.keys.suite) + " gives a wrong ICV";
    return false;
  }
  memcpy(known.sealed.data() + BodyAt(known), packet.data() + BodyAt(known), known.plain.size());
  return true;
}

}  // namespace

bool SelfTest(Backend& backend, std::string& why) {
  // More than any backend works on side by side, and one that leaves most of its lanes empty.
  constexpr size_t kCompanies[] = {2, 20};
  std::vector<Case> cases = Cases();
  const size_t published = std::size(kPublished);
  for (size_t index = published; index < cases.size(); index++) {
    if (!Known(backend, cases[index], why)) return false;
  }
  std::vector<const Case*> all;
  for (const Case& known : cases) {
    all.push_back(&known);
    for (const size_t company : kCompanies) {
      if (!Holds(backend, std::vector<const Case*>(company, &known), company / 3, why)) return false;
    }
  }
  return Holds(backend, all, published, why) && Holds(backend, all, published + 1, why);
}

}  // namespace culvert::crypto
