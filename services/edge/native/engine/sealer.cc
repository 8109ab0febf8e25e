#include "sealer.h"

#include <algorithm>
#include <stdexcept>

#include "octets.h"

namespace culvert {
namespace {

constexpr size_t kEspHeader = 8;
constexpr size_t kTrailer = 2;
// RFC 4303 §2.4: Pad Length and Next Header end on a four-octet boundary, whatever the cipher.
constexpr size_t kAlignment = 4;
// The most that one UDP_SEGMENT send carries: octets of a UDP datagram, and datagrams (older kernels' bound).
constexpr size_t kGroupOctets = 65000;
constexpr uint32_t kGroupPackets = 64;

// What the padded payload is a multiple of: a power of two.
size_t UnitOf(const Sa& sa) { return std::max<size_t>(kAlignment, crypto::BlockOctets(sa.suite().cipher)); }

size_t PlainOctets(const Sa& sa, size_t payload) {
  return (payload + kTrailer + UnitOf(sa) - 1) & ~(UnitOf(sa) - 1);
}

}  // namespace

Sealer::Sealer(crypto::Backend& backend, Contexts& contexts, crypto::IvSource& ivs, uint32_t ivPrefix, bool merge)
    : backend_(backend),
      contexts_(contexts),
      ivs_(ivs),
      ivPrefix_(ivPrefix),
      merge_(merge),
      arena_(kArena) {
  groups_.reserve(kGroups);
}

size_t Sealer::SealedOctets(const Sa& sa, size_t payload) {
  return kEspHeader + crypto::IvOctets(sa.suite().cipher) + PlainOctets(sa, payload) + sa.sealedIcvOctets();
}

int64_t Sealer::PayloadRoom(const Sa& sa, int64_t octets) {
  const int64_t overhead =
      static_cast<int64_t>(kEspHeader + crypto::IvOctets(sa.suite().cipher)) + sa.sealedIcvOctets();
  const int64_t body = octets - overhead;
  return (body & ~(static_cast<int64_t>(UnitOf(sa)) - 1)) - static_cast<int64_t>(kTrailer);
}

uint8_t* Sealer::Open(Sa& sa, uint64_t sequence, size_t payload, uint8_t tos, bool priority) {
  const crypto::Cipher cipher = sa.suite().cipher;
  const uint8_t icv = sa.sealedIcvOctets();
  plainOctets_ = PlainOctets(sa, payload);
  const size_t iv = crypto::IvOctets(cipher);
  const bool gcm = crypto::IsGcm(cipher);
  const bool apart = gcm && plainOctets_ <= kClear;
  most_ = gcm ? 1 : limits::kJobs;
  const uint32_t sealed = static_cast<uint32_t>(kEspHeader + iv + plainOctets_ + icv);
  uint8_t* packet = arena_.get() + used_;
  used_ += sealed;

  Group* group = groups_.empty() ? nullptr : &groups_.back();
  const bool joins = merge_ && group != nullptr && !group->closed && group->udp && sa.entry.udp &&
                     group->tos == tos && group->priority == priority && sealed <= group->segment &&
                     group->length + sealed <= kGroupOctets && group->count < kGroupPackets &&
                     group->flow == sa.endpoint;
  if (joins) {
    group->length += sealed;
    group->count++;
    group->closed = sealed < group->segment;
  } else {
    groups_.push_back({packet, sealed, sealed, 1, sa.endpoint, tos, sa.entry.udp, priority, false});
  }

  Store32(packet, sa.entry.outboundSpi);
  Store32(packet + 4, static_cast<uint32_t>(sequence));
  if (gcm) {
    // RFC 4106 §3.1: unique under the key, whoever else has it (charter: node and generation in front).
    Store32(packet + kEspHeader, ivPrefix_);
    Store32(packet + kEspHeader + 4, static_cast<uint32_t>(sequence));
  } else {
    requests_[requestCount_++] = {sa.entry.outboundSpi, static_cast<uint32_t>(sequence), packet + kEspHeader,
                                  static_cast<uint8_t>(iv)};
  }
  crypto::Job& job = jobs_[jobCount_++];
  job.context = contexts_.Get(sa.sealing, sa.entry.outbound, crypto::Direction::kSeal);
  job.packet = packet;
  job.bodyOctets = static_cast<uint32_t>(plainOctets_);
  job.sequenceHigh = static_cast<uint32_t>(sequence >> 32);
  job.icvOctets = icv;
  job.esn = sa.entry.esn;
  job.ok = false;
  job.clear = apart ? clear_ : nullptr;
  payloadAt_ = apart ? clear_ : packet + kEspHeader + iv;
  payloadOctets_ = payload;
  return payloadAt_;
}

void Sealer::Close(uint8_t nextHeader) {
  const size_t padding = plainOctets_ - kTrailer - payloadOctets_;
  uint8_t* at = payloadAt_ + payloadOctets_;
  // RFC 4303 §2.4: 1, 2, 3, …
  for (size_t i = 0; i < padding; i++) at[i] = static_cast<uint8_t>(i + 1);
  at[padding] = static_cast<uint8_t>(padding);
  at[padding + 1] = nextHeader;
  if (jobCount_ >= most_) Seal();
}

void Sealer::Seal() {
  if (requestCount_ > 0) ivs_.Unpredictable(requests_, requestCount_);
  requestCount_ = 0;
  if (jobCount_ > 0) backend_.Seal(jobs_, jobCount_);
  // A cipher that fails is broken; what it made is zeros, and nothing of it may leave.
  const bool failed = std::any_of(jobs_, jobs_ + jobCount_, [](const crypto::Job& job) { return !job.ok; });
  jobCount_ = 0;
  if (failed) throw std::runtime_error("the cipher failed to seal");
}

void Sealer::Clear() {
  groups_.clear();
  used_ = 0;
}

}  // namespace culvert
