#include "face.h"

#include <new>
#include <vector>

#include "../edge_native.h"
#include "backends.h"
#include "rates.h"

namespace culvert {
namespace {

using crypto::Backend;
using crypto::Direction;
using crypto::Suite;

constexpr const char* kBackends[] = {"ipsec-mb", "openssl"};
// The names of the forwarding entries, in the order of the enumerations.
constexpr const char* kCiphers[crypto::kCiphers] = {"aes-cbc-128", "aes-cbc-192",    "aes-cbc-256",
                                                    "3des-cbc",    "aes-gcm-16-128", "aes-gcm-16-256"};
constexpr const char* kMacs[crypto::kMacs] = {"none", "hmac-sha1-96", "hmac-sha2-256-128", "hmac-sha2-384-192",
                                              "hmac-sha2-512-256"};
constexpr size_t kPacketMax = 65535;
constexpr size_t kBatchRatesMax = 1024;

// Without the self-test, which has a function of its own.
std::unique_ptr<Backend> BackendArgument(const Napi::CallbackInfo& info, size_t index) {
  const std::string name = StringArgument(info, index, 32, "backend");
  std::string why = "there is no such backend: " + name;
  std::unique_ptr<Backend> backend;
  if (name == kBackends[0]) backend = crypto::NewIpsecMb(why);
  if (name == kBackends[1]) backend = crypto::NewOpenssl(why);
  if (backend == nullptr) throw Napi::Error::New(info.Env(), why);
  return backend;
}

template <size_t count>
size_t PlaceOf(Napi::Env env, const Napi::Value& value, const char* const (&names)[count], const char* what) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  for (size_t place = 0; place < count; place++) {
    if (name == names[place]) return place;
  }
  throw Napi::RangeError::New(env, std::string(what) + " is not one of ESP's");
}

Suite SuiteOf(Napi::Env env, const Napi::Object& from) {
  const Suite suite{static_cast<crypto::Cipher>(PlaceOf(env, from.Get("encryption"), kCiphers, "encryption")),
                    static_cast<crypto::Mac>(PlaceOf(env, from.Get("integrity"), kMacs, "integrity"))};
  if (!crypto::IsUsable(suite)) throw Napi::RangeError::New(env, "encryption and integrity do not go together");
  return suite;
}

Octets ViewOf(Napi::Env env, const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(env, std::string(name) + " must be a Uint8Array");
  }
  auto array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

void CopyOf(Napi::Env env, const Napi::Object& from, const char* name, uint8_t* out, size_t octets) {
  const Octets given = ViewOf(env, from.Get(name), name);
  if (given.length != octets) throw Napi::RangeError::New(env, std::string(name) + " has a wrong length");
  // An empty view has no address.
  if (octets > 0) memcpy(out, given.data, octets);
}

uint32_t WordOf(Napi::Env env, const Napi::Object& from, const char* name) {
  const Napi::Value value = from.Get(name);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= UINT32_MAX)) throw Napi::RangeError::New(env, std::string(name) + " is out of range");
  return static_cast<uint32_t>(number);
}

// Contexts for one call, each with its own keys.
class Contexts {
 public:
  explicit Contexts(Backend& backend) : backend_(backend) {}
  Contexts(const Contexts&) = delete;
  Contexts& operator=(const Contexts&) = delete;
  ~Contexts() {
    for (void* context : made_) {
      backend_.Destroy(context);
      Free(context);
    }
  }

  void* Make(const crypto::Keys& keys, Direction direction) {
    const std::align_val_t alignment{crypto::kContextAlignment};
    made_.reserve(made_.size() + 1);
    void* memory = ::operator new(backend_.ContextOctets(keys.suite, direction), alignment);
    try {
      backend_.Init(memory, keys, direction);
    } catch (...) {
      Free(memory);
      throw;
    }
    made_.push_back(memory);
    return memory;
  }

 private:
  static void Free(void* memory) { ::operator delete(memory, std::align_val_t{crypto::kContextAlignment}); }

  Backend& backend_;
  std::vector<void*> made_;
};

crypto::Job JobOf(Napi::Env env, const Napi::Object& from, Contexts& contexts, Direction direction) {
  crypto::Keys keys{SuiteOf(env, from), {}, {}, {}};
  const crypto::Cipher cipher = keys.suite.cipher;
  CopyOf(env, from, "encryptionKey", keys.encryption, crypto::KeyOctets(cipher));
  CopyOf(env, from, "integrityKey", keys.integrity, crypto::MacKeyOctets(keys.suite.mac));
  CopyOf(env, from, "salt", keys.salt, crypto::IsGcm(cipher) ? crypto::kSaltOctets : 0);
  const size_t icv = WordOf(env, from, "icvOctets");
  const bool truncated = keys.suite.mac == crypto::Mac::kHmacSha256_128 && icv == 12;
  if (!truncated && icv != crypto::IcvOctets(keys.suite)) throw Napi::RangeError::New(env, "icvOctets is wrong");
  const Octets packet = ViewOf(env, from.Get("packet"), "packet");
  const size_t around = crypto::kEspHeaderOctets + crypto::IvOctets(cipher) + icv;
  if (packet.length <= around || packet.length > kPacketMax ||
      (packet.length - around) % crypto::BlockOctets(cipher) != 0) {
    throw Napi::RangeError::New(env, "packet has a wrong length");
  }
  return {contexts.Make(keys, direction),
          packet.data,
          static_cast<uint32_t>(packet.length - around),
          WordOf(env, from, "sequenceHigh"),
          static_cast<uint8_t>(icv),
          from.Get("esn").ToBoolean().Value(),
          false};
}

Napi::Value Run(const Napi::CallbackInfo& info, Direction direction) {
  const Napi::Env env = info.Env();
  const auto backend = BackendArgument(info, 0);
  if (info.Length() < 2 || !info[1].IsArray()) throw Napi::TypeError::New(env, "jobs must be an array");
  const auto given = info[1].As<Napi::Array>();
  Contexts contexts(*backend);
  std::vector<crypto::Job> jobs;
  for (uint32_t index = 0; index < given.Length(); index++) {
    const Napi::Value one = given.Get(index);
    if (!one.IsObject()) throw Napi::TypeError::New(env, "a job must be an object");
    jobs.push_back(JobOf(env, one.As<Napi::Object>(), contexts, direction));
  }
  if (direction == Direction::kSeal) {
    backend->Seal(jobs.data(), jobs.size());
  } else {
    backend->Open(jobs.data(), jobs.size());
  }
  auto answers = Napi::Array::New(env, jobs.size());
  for (uint32_t index = 0; index < jobs.size(); index++) answers.Set(index, Napi::Boolean::New(env, jobs[index].ok));
  return answers;
}

Napi::Value Seal(const Napi::CallbackInfo& info) { return Run(info, Direction::kSeal); }
Napi::Value Open(const Napi::CallbackInfo& info) { return Run(info, Direction::kOpen); }

Napi::Value Backends(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto answers = Napi::Array::New(env);
  for (const char* name : kBackends) {
    std::string why;
    const auto backend = crypto::NewBackend(name, why);
    auto row = Napi::Object::New(env);
    row.Set("name", name);
    row.Set("version", backend == nullptr ? "" : backend->name());
    row.Set("usable", backend != nullptr);
    row.Set("why", why);
    answers.Set(answers.Length(), row);
  }
  return answers;
}

Napi::Value SelfTest(const Napi::CallbackInfo& info) {
  std::string why;
  crypto::SelfTest(*BackendArgument(info, 0), why);
  return Napi::String::New(info.Env(), why);
}

Napi::Value Rates(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto backend = BackendArgument(info, 0);
  if (info.Length() < 2 || !info[1].IsObject()) throw Napi::TypeError::New(env, "suite must be an object");
  const Suite suite = SuiteOf(env, info[1].As<Napi::Object>());
  const auto octets = static_cast<size_t>(IntArgument(info, 2, 1, kPacketMax, "octets"));
  const auto batch = static_cast<size_t>(IntArgument(info, 3, 1, kBatchRatesMax, "batch"));
  const auto milliseconds = static_cast<uint32_t>(IntArgument(info, 4, 1, 60000, "milliseconds"));
  const crypto::Rates rates = crypto::Measure(*backend, suite, octets, batch, milliseconds);
  auto answer = Napi::Object::New(env);
  answer.Set("sealPerSecond", rates.sealPerSecond);
  answer.Set("openPerSecond", rates.openPerSecond);
  answer.Set("initNanoseconds", rates.initNanoseconds);
  answer.Set("contextOctets", static_cast<double>(backend->ContextOctets(suite, Direction::kSeal)));
  return answer;
}

Napi::Value Ivs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() < 3 || !info[0].IsNumber() || !info[2].IsArray()) {
    throw Napi::TypeError::New(env, "prefix, key and requests are needed");
  }
  const Octets key = OctetsArgument(info, 1, "key");
  if (key.length != 32) throw Napi::RangeError::New(env, "key has a wrong length");
  const auto given = info[2].As<Napi::Array>();
  std::vector<crypto::IvRequest> requests;
  auto answers = Napi::Array::New(env, given.Length());
  for (uint32_t index = 0; index < given.Length(); index++) {
    const Napi::Object one = given.Get(index).ToObject();
    const uint32_t octets = WordOf(env, one, "octets");
    if (octets != 8 && octets != 16) throw Napi::RangeError::New(env, "octets must be 8 or 16");
    auto out = Napi::Uint8Array::New(env, octets);
    answers.Set(index, out);
    requests.push_back({WordOf(env, one, "spi"), WordOf(env, one, "sequence"), out.Data(), static_cast<uint8_t>(octets)});
  }
  crypto::IvSource source(info[0].As<Napi::Number>().Uint32Value(), key.data);
  source.Unpredictable(requests.data(), requests.size());
  return answers;
}

// What goes wrong below is an error of JavaScript above.
template <Napi::Value (*function)(const Napi::CallbackInfo&)>
Napi::Value Guarded(const Napi::CallbackInfo& info) {
  try {
    return function(info);
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& fault) {
    throw Napi::Error::New(info.Env(), fault.what());
  }
}

}  // namespace

void AddCrypto(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  add("cryptoBackends", Guarded<Backends>);
  add("cryptoSelfTest", Guarded<SelfTest>);
  add("cryptoSeal", Guarded<Seal>);
  add("cryptoOpen", Guarded<Open>);
  add("cryptoRates", Guarded<Rates>);
  add("cryptoIvs", Guarded<Ivs>);
}

}  // namespace culvert
