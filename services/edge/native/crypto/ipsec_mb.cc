#include "backends.h"

#ifdef HAVE_IPSEC_MB

#include <intel-ipsec-mb.h>

#include <algorithm>
#include <new>

namespace culvert::crypto {
namespace {

struct FreeManager {
  void operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }
};
using Manager = std::unique_ptr<IMB_MGR, FreeManager>;

struct GcmContext {
  ContextHead head;
  gcm_key_data keys;
};

constexpr size_t kAesScheduleOctets = 15 * 16;

struct CbcContext {
  ContextHead head;
  alignas(16) uint8_t schedule[kAesScheduleOctets];
  alignas(16) uint8_t inner[IMB_SHA512_DIGEST_SIZE_IN_BYTES];
  alignas(16) uint8_t outer[IMB_SHA512_DIGEST_SIZE_IN_BYTES];
};

constexpr IMB_HASH_ALG kHashes[kMacs] = {IMB_AUTH_NULL, IMB_AUTH_HMAC_SHA_1, IMB_AUTH_HMAC_SHA_256,
                                         IMB_AUTH_HMAC_SHA_384, IMB_AUTH_HMAC_SHA_512};

// As many as the library takes before it must finish one to take another.
constexpr size_t kChunk = IMB_MAX_JOBS / 2;

// The wide manager works on this many packets side by side and takes as long for one of them as for all. Where
// the processor has instructions for SHA-1 and SHA-256 the narrow one, which uses them on two packets at a time,
// is faster for up to so many (measured with packets of 64 to 1400 octets).
struct Lanes {
  size_t count;
  size_t fewSha1;
  size_t fewSha256;
};
constexpr Lanes kAvx512{16, 6, 8};
constexpr Lanes kOther{8, 4, 4};

// By the time that the cipher is done with a batch its first packets have left the first-level cache.
constexpr size_t kAhead = 4;

const ContextHead& HeadOf(const Job& job) { return *static_cast<const ContextHead*>(job.context); }

// The library's DES is bit by bit: on processors without AVX-512 a packet takes milliseconds.
bool IsElsewhere(Suite suite) { return suite.cipher == Cipher::kTripleDesCbc; }

const uint8_t* IcvOf(const Job& job) { return BodyOf(HeadOf(job), job) + job.bodyOctets; }

void Note(const IMB_JOB* done) { *static_cast<bool*>(done->user_data) = done->status == IMB_STATUS_COMPLETED; }

void Flush(IMB_MGR* manager) {
  while (const IMB_JOB* done = IMB_FLUSH_JOB(manager)) Note(done);
}

class IpsecMb final : public Backend {
 public:
  IpsecMb(Manager wide, Manager narrow, const Lanes& lanes, std::unique_ptr<Backend> elsewhere, std::string name)
      : wide_(std::move(wide)),
        narrow_(std::move(narrow)),
        elsewhere_(std::move(elsewhere)),
        lanes_(lanes),
        name_(std::move(name)) {}

  const char* name() const override { return name_.c_str(); }
  size_t ContextOctets(Suite suite, Direction direction) const override {
    if (IsElsewhere(suite)) return elsewhere_->ContextOctets(suite, direction);
    return IsGcm(suite.cipher) ? sizeof(GcmContext) : sizeof(CbcContext);
  }
  void Init(void* context, const Keys& keys, Direction direction) override;
  void Destroy(void* context) override;
  void Seal(Job* jobs, size_t count) override { InChunks(jobs, count, Direction::kSeal); }
  void Open(Job* jobs, size_t count) override { InChunks(jobs, count, Direction::kOpen); }

 private:
  void InitIntegrity(CbcContext& context, const Keys& keys);
  void InChunks(Job* jobs, size_t count, Direction direction);
  void Chunk(Job* jobs, size_t count, Direction direction);
  void Gcm(Job& job, Direction direction);
  size_t NarrowOf(Mac mac, size_t count) const;
  void Fill(IMB_JOB& out, Job& job, size_t index, Direction direction);
  void Finish(Job& job, size_t index, Direction direction);

  Manager wide_;
  Manager narrow_;  // null: nothing is faster than the wide one
  const std::unique_ptr<Backend> elsewhere_;
  const Lanes lanes_;
  const std::string name_;
  gcm_context_data gcm_;
  // By place of a job in the list of those that a manager does.
  Job* managed_[kChunk];
  bool completed_[kChunk];
  uint8_t covered_[kChunk][4];
  alignas(64) uint8_t icvs_[kChunk][kIcvOctetsMax];
};

void IpsecMb::Init(void* memory, const Keys& keys, Direction direction) {
  if (IsElsewhere(keys.suite)) return elsewhere_->Init(memory, keys, direction);
  ContextHead head{keys.suite, {}};
  memcpy(head.salt, keys.salt, kSaltOctets);
  if (IsGcm(keys.suite.cipher)) {
    auto* context = new (memory) GcmContext;
    context->head = head;
    if (keys.suite.cipher == Cipher::kAesGcm128) {
      IMB_AES128_GCM_PRE(wide_.get(), keys.encryption, &context->keys);
    } else {
      IMB_AES256_GCM_PRE(wide_.get(), keys.encryption, &context->keys);
    }
    return;
  }
  auto* context = new (memory) CbcContext;
  context->head = head;
  // The library expands for both directions; one of them is not wanted.
  alignas(16) uint8_t other[kAesScheduleOctets];
  uint8_t* sealing = direction == Direction::kSeal ? context->schedule : other;
  uint8_t* opening = direction == Direction::kSeal ? other : context->schedule;
  switch (keys.suite.cipher) {
    case Cipher::kAesCbc128:
      IMB_AES_KEYEXP_128(wide_.get(), keys.encryption, sealing, opening);
      break;
    case Cipher::kAesCbc192:
      IMB_AES_KEYEXP_192(wide_.get(), keys.encryption, sealing, opening);
      break;
    default:
      IMB_AES_KEYEXP_256(wide_.get(), keys.encryption, sealing, opening);
  }
  explicit_bzero(other, sizeof other);
  InitIntegrity(*context, keys);
}

// RFC 2104 §4: the hash's state behind the padded key, for the inner and the outer hash.
void IpsecMb::InitIntegrity(CbcContext& context, const Keys& keys) {
  IMB_MGR* manager = wide_.get();
  alignas(64) uint8_t block[IMB_SHA_512_BLOCK_SIZE];
  const auto state = [&](uint8_t pad, uint8_t* out) {
    memset(block, pad, sizeof block);
    for (size_t index = 0; index < MacKeyOctets(keys.suite.mac); index++) block[index] ^= keys.integrity[index];
    switch (keys.suite.mac) {
      case Mac::kHmacSha1_96:
        IMB_SHA1_ONE_BLOCK(manager, block, out);
        break;
      case Mac::kHmacSha256_128:
        IMB_SHA256_ONE_BLOCK(manager, block, out);
        break;
      case Mac::kHmacSha384_192:
        IMB_SHA384_ONE_BLOCK(manager, block, out);
        break;
      default:
        IMB_SHA512_ONE_BLOCK(manager, block, out);
    }
  };
  state(0x36, context.inner);
  state(0x5c, context.outer);
  explicit_bzero(block, sizeof block);
}

void IpsecMb::Destroy(void* context) {
  const Suite suite = static_cast<ContextHead*>(context)->suite;
  if (IsElsewhere(suite)) return elsewhere_->Destroy(context);
  explicit_bzero(context, ContextOctets(suite, Direction::kSeal));
}

void IpsecMb::InChunks(Job* jobs, size_t count, Direction direction) {
  for (size_t first = 0; first < count; first += kChunk) {
    Chunk(jobs + first, std::min(count - first, kChunk), direction);
  }
}

void IpsecMb::Chunk(Job* jobs, size_t count, Direction direction) {
  size_t managed = 0;
  size_t narrow[kMacs] = {};
  for (Job* job = jobs; job != jobs + count; job++) {
    const Suite suite = HeadOf(*job).suite;
    if (IsGcm(suite.cipher)) {
      Gcm(*job, direction);
    } else if (IsElsewhere(suite)) {
      if (direction == Direction::kSeal) elsewhere_->Seal(job, 1);
      if (direction == Direction::kOpen) elsewhere_->Open(job, 1);
    } else {
      narrow[static_cast<size_t>(suite.mac)]++;
      managed_[managed++] = job;
    }
  }
  if (managed == 0) return;
  for (size_t mac = 0; mac < kMacs; mac++) narrow[mac] = NarrowOf(static_cast<Mac>(mac), narrow[mac]);
  for (size_t index = 0; index < managed; index++) {
    size_t& left = narrow[static_cast<size_t>(HeadOf(*managed_[index]).suite.mac)];
    IMB_MGR* manager = left > 0 ? narrow_.get() : wide_.get();
    if (left > 0) left--;
    completed_[index] = false;
    Fill(*IMB_GET_NEXT_JOB(manager), *managed_[index], index, direction);
    for (IMB_JOB* done = IMB_SUBMIT_JOB_NOCHECK(manager); done != nullptr; done = IMB_GET_COMPLETED_JOB(manager)) Note(done);
  }
  Flush(wide_.get());
  if (narrow_ != nullptr) Flush(narrow_.get());
  for (size_t index = 0; index < managed; index++) {
    if (index + kAhead < managed) __builtin_prefetch(IcvOf(*managed_[index + kAhead]), 1);
    Finish(*managed_[index], index, direction);
  }
}

// Whatever does not fill the wide manager's lanes.
size_t IpsecMb::NarrowOf(Mac mac, size_t count) const {
  if (narrow_ == nullptr) return 0;
  const size_t few = mac == Mac::kHmacSha1_96 ? lanes_.fewSha1 : mac == Mac::kHmacSha256_128 ? lanes_.fewSha256 : 0;
  const size_t rest = count % lanes_.count;
  return rest <= few ? rest : 0;
}

void IpsecMb::Gcm(Job& job, Direction direction) {
  auto& context = *static_cast<GcmContext*>(job.context);
  const GcmInput input(context.head, job);
  uint8_t* body = BodyOf(context.head, job);
  uint8_t* icv = body + job.bodyOctets;
  const bool small = context.head.suite.cipher == Cipher::kAesGcm128;
  uint8_t* clear = ClearOf(context.head, job);
  IMB_MGR* manager = wide_.get();
  if (direction == Direction::kSeal) {
    auto* seal = small ? manager->gcm128_enc : manager->gcm256_enc;
    seal(&context.keys, &gcm_, body, clear, job.bodyOctets, input.nonce, input.aad, input.aadOctets, icv, 16);
    job.ok = true;
    return;
  }
  uint8_t expected[16];
  auto* open = small ? manager->gcm128_dec : manager->gcm256_dec;
  open(&context.keys, &gcm_, clear, body, job.bodyOctets, input.nonce, input.aad, input.aadOctets, expected, 16);
  job.ok = SameOctets(expected, icv, 16);
}

void IpsecMb::Fill(IMB_JOB& out, Job& job, size_t index, Direction direction) {
  auto& context = *static_cast<CbcContext*>(job.context);
  const Suite suite = context.head.suite;
  const size_t bodyAt = kEspHeaderOctets + IvOctets(suite.cipher);
  const size_t bodyEnd = bodyAt + job.bodyOctets;
  if (job.esn) {
    // Covered as if it stood behind the body: for as long as that takes it does.
    memcpy(covered_[index], job.packet + bodyEnd, 4);
    StoreBig(job.packet + bodyEnd, job.sequenceHigh);
  }
  out.enc_keys = context.schedule;
  out.dec_keys = context.schedule;
  out.key_len_in_bytes = KeyOctets(suite.cipher);
  out.src = job.packet;
  out.dst = job.packet + bodyAt;
  out.cipher_start_src_offset_in_bytes = bodyAt;
  out.msg_len_to_cipher_in_bytes = job.bodyOctets;
  out.hash_start_src_offset_in_bytes = 0;
  out.msg_len_to_hash_in_bytes = bodyEnd + (job.esn ? 4 : 0);
  out.iv = job.packet + kEspHeaderOctets;
  out.iv_len_in_bytes = IvOctets(suite.cipher);
  out.auth_tag_output = icvs_[index];
  out.auth_tag_output_len_in_bytes = IcvOctets(suite);
  out.u.HMAC._hashed_auth_key_xor_ipad = context.inner;
  out.u.HMAC._hashed_auth_key_xor_opad = context.outer;
  out.cipher_mode = IMB_CIPHER_CBC;
  out.hash_alg = kHashes[static_cast<size_t>(suite.mac)];
  out.cipher_direction = direction == Direction::kSeal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
  out.chain_order = direction == Direction::kSeal ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
  out.user_data = &completed_[index];
}

void IpsecMb::Finish(Job& job, size_t index, Direction direction) {
  const ContextHead& head = HeadOf(job);
  uint8_t* icv = BodyOf(head, job) + job.bodyOctets;
  job.ok = completed_[index];
  if (direction == Direction::kSeal) {
    if (job.ok) {
      memcpy(icv, icvs_[index], job.icvOctets);
    } else {
      Withhold(head, job);
    }
    return;
  }
  if (job.esn) memcpy(icv, covered_[index], 4);
  job.ok = job.ok && SameOctets(icvs_[index], icv, job.icvOctets);
}

}  // namespace

std::unique_ptr<Backend> NewIpsecMb(std::string& why) {
  Manager wide(alloc_mb_mgr(0));
  if (wide == nullptr) {
    why = "ipsec-mb: no memory";
    return nullptr;
  }
  IMB_ARCH arch = IMB_ARCH_NONE;
  init_mb_mgr_auto(wide.get(), &arch);
  if (arch < IMB_ARCH_SSE || (wide->features & IMB_FEATURE_AESNI) == 0) {
    why = "ipsec-mb: this processor has no AES instructions";
    return nullptr;
  }
  Manager narrow;
  if ((wide->features & IMB_FEATURE_SHANI) != 0) {
    narrow.reset(alloc_mb_mgr(0));
    if (narrow != nullptr) init_mb_mgr_sse(narrow.get());
  }
  auto elsewhere = NewOpenssl(why);
  if (elsewhere == nullptr) return nullptr;
  constexpr const char* kArchs[] = {"", "", "sse", "avx", "avx2", "avx512"};
  const bool vaes = arch == IMB_ARCH_AVX512 && (wide->features & IMB_FEATURE_VAES) != 0;
  std::string name = std::string("ipsec-mb ") + IMB_VERSION_STR + (vaes ? " vaes-" : " ");
  name += static_cast<size_t>(arch) < std::size(kArchs) ? kArchs[arch] : "other";
  return std::make_unique<IpsecMb>(std::move(wide), std::move(narrow), arch == IMB_ARCH_AVX512 ? kAvx512 : kOther,
                                   std::move(elsewhere), name);
}

}  // namespace culvert::crypto

#else

namespace culvert::crypto {

std::unique_ptr<Backend> NewIpsecMb(std::string& why) {
  why = "ipsec-mb: this build does not have it";
  return nullptr;
}

}  // namespace culvert::crypto

#endif
