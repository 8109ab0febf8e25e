// Stages of a packet from outside: 1 what it is (RFC 3948 §2), 2 whose SA, 3 open, many at a time, 4 in
// order: replay window, endpoint, next header. `message_in.cc` goes on.
#include <algorithm>

#include "engine.h"
#include "octets.h"

namespace culvert {
namespace {

constexpr uint32_t kIkeHeader = 28;
constexpr uint32_t kMarker = 4;
constexpr uint32_t kEspHeader = 8;
constexpr uint32_t kReservedSpis = 256;
constexpr uint8_t kKeepalive = 0xff;
constexpr uint8_t kTruncatedIcv = 12;
constexpr uint8_t kWholeIcv = 16;
// So many openings of a batch are asked for ahead: the cipher was there long ago.
constexpr size_t kAhead = 3;
// Extended numbers of one batch are inferred from one window; what lies far off is opened on its own.
constexpr uint32_t kFar = 1u << 30;
constexpr uint32_t kHeaders = 128;
constexpr uint32_t kLine = 64;

bool Fits(const Sa& sa, uint32_t length, uint32_t icv) {
  const crypto::Cipher cipher = sa.suite().cipher;
  const int64_t body = int64_t{length} - kEspHeader - static_cast<int64_t>(crypto::IvOctets(cipher)) - icv;
  // A block is a power of two.
  return body > 0 && (body & (static_cast<int64_t>(crypto::BlockOctets(cipher)) - 1)) == 0;
}

// RFC 4303 §2.4: the default padding 1, 2, 3, … is checked, as a receiver SHOULD. Negative: malformed.
int64_t PayloadOctets(const uint8_t* plain, uint32_t length) {
  if (length < 2) return -1;
  const uint32_t end = length - 2;
  const uint32_t padding = plain[end];
  if (padding > end) return -1;
  const uint8_t* at = plain + end - padding;
  for (uint32_t i = 0; i < padding; i++) {
    if (at[i] != i + 1) return -1;
  }
  return end - padding;
}

}  // namespace

void Engine::Outer(const OuterPacket* packets, size_t count, double at) {
  for (size_t i = 0; i < count; i++) {
    const OuterPacket& packet = packets[i];
    if (packet.via == Via::kIke) {
      IkeIn(packet, packet.octets, packet.length, false, at);
    } else if (packet.via == Via::kEsp) {
      EspIn(packet, false, at);
    } else if (packet.length == 1 && packet.octets[0] == kKeepalive) {
      // RFC 3948 §4: ignored, and no proof that the peer lives.
      account().Count(Counter::kKeepalives);
    } else if (packet.length < kMarker) {
      CountDrop(Drop::kOuterMalformed, nullptr);
    } else if (Load32(packet.octets) == 0) {
      IkeIn(packet, packet.octets + kMarker, packet.length - kMarker, true, at);
    } else {
      EspIn(packet, true, at);
    }
  }
  OpenAll(at);
}

void Engine::IkeIn(const OuterPacket& packet, uint8_t* octets, uint32_t length, bool marker, double at) {
  if (length < kIkeHeader) return CountDrop(Drop::kOuterMalformed, nullptr);
  // RFC 2408 §3.1: no responder cookie yet, so this asks for a new ISAKMP SA.
  const bool first = Load64(octets + 8) == 0;
  if (!admission_.Admit(packet.flow->remote, first, at)) return CountDrop(Drop::kIkeRate, nullptr);
  if (records_.full()) return account().Count(Counter::kControlFull);
  records_.Begin(RecordKind::kIke);
  records_.U8(packet.listener);
  records_.U8(marker ? 1 : 0);
  records_.Path(*packet.flow);
  records_.Octets(octets, length);
  records_.End();
}

void Engine::EspIn(const OuterPacket& packet, bool udp, double at) {
  if (packet.length < kEspHeader) return CountDrop(Drop::kOuterMalformed, nullptr);
  const uint32_t spi = Load32(packet.octets);
  if (spi < kReservedSpis) return CountDrop(Drop::kOuterMalformed, nullptr);
  Sa* sa = openingCount_ > 0 && openings_[openingCount_ - 1].sa->entry.inboundSpi == spi
               ? openings_[openingCount_ - 1].sa
               : sas_.Find(spi);
  // Silence: whoever guesses SPIs learns nothing (RFC 4303 §3.4.2).
  if (sa == nullptr) return CountDrop(Drop::kUnknownSpi, nullptr);
  if (sa->entry.expiresAt <= at) return CountDrop(Drop::kSaExpired, sa->session);
  if (sa->entry.udp != udp) return CountDrop(Drop::kWrongEncapsulation, sa->session);
  if (!fairShare_.Admit(*sa->session, packet.length)) return CountDrop(Drop::kOverload, sa->session);
  // What an SA's peer truncates to is found out one packet at a time.
  if (sa->icvOctets == 0) OpenAll(at);
  uint8_t icv = sa->icvOctets != 0 ? sa->icvOctets : kWholeIcv;
  if (sa->icvOctets == 0 && !Fits(*sa, packet.length, icv)) icv = kTruncatedIcv;
  if (!Fits(*sa, packet.length, icv)) return CountDrop(Drop::kEspLength, sa->session);
  const uint32_t low = Load32(packet.octets + 4);
  uint64_t sequence = low;
  if (sa->entry.esn) {
    if (static_cast<uint32_t>(low - static_cast<uint32_t>(sa->window.top())) - kFar < 2 * kFar) OpenAll(at);
    sequence = sa->window.Inferred(low);
  }
  const Freshness freshness = sa->window.Judge(sequence);
  const bool gcm = crypto::IsGcm(sa->suite().cipher);
  uint8_t* clear = nullptr;
  const bool tried = freshness == Freshness::kNewest || freshness == Freshness::kFresh;
  if (tried) {
    const uint32_t iv = static_cast<uint32_t>(crypto::IvOctets(sa->suite().cipher));
    const uint32_t body = packet.length - kEspHeader - iv - icv;
    if (gcm && openingCount_ == 0 && trail_.Is(*sa)) clear = coalescer_.Ahead(trail_.front(), body);
    crypto::Job& job = jobs_[jobCount_++];
    job.context = contexts_.Get(sa->opening, sa->entry.inbound, crypto::Direction::kOpen);
    job.packet = packet.octets;
    job.bodyOctets = body;
    job.sequenceHigh = static_cast<uint32_t>(sequence >> 32);
    job.icvOctets = icv;
    job.esn = sa->entry.esn;
    job.ok = false;
    job.clear = clear;
  }
  openings_[openingCount_++] = {sa, &packet, packet.octets, clear, packet.length, sequence, tried, icv};
  // What is opened one by one is looked at while it is in the first-level cache.
  if (gcm || openingCount_ == limits::kJobs || sa->icvOctets == 0) OpenAll(at);
}

// Its headers, from ESP to TCP, and its trailer.
void Engine::Foresee(const Opening& opening) {
  for (uint32_t at = 0; at < kHeaders; at += kLine) __builtin_prefetch(opening.esp + at);
  __builtin_prefetch(opening.esp + std::max(opening.length, kLine) - kLine);
}

void Engine::OpenAll(double at) {
  if (openingCount_ == 0) return;
  if (jobCount_ > 0) options_.backend->Open(jobs_, jobCount_);
  const size_t count = openingCount_;
  // A packet's answer may flush; nothing of that opens packets.
  openingCount_ = 0;
  jobCount_ = 0;
  size_t job = 0;
  for (size_t i = 0; i < count; i++) {
    if (i + kAhead < count) Foresee(openings_[i + kAhead]);
    const bool holds = openings_[i].tried && jobs_[job++].ok;
    Opened(openings_[i], holds, at);
  }
  coalescer_.Settle();
  home_ = nullptr;
}

// RFC 4303 §3.4.3, judged in the order of arrival: earlier packets of the batch have moved the window.
void Engine::Opened(const Opening& opening, bool holds, double at) {
  Sa& sa = *opening.sa;
  Session& session = *sa.session;
  uint64_t sequence = opening.sequence;
  if (sa.entry.esn) {
    sequence = sa.window.Inferred(static_cast<uint32_t>(opening.sequence));
    // Under another high half the ICV would not have held.
    if (sequence != opening.sequence) holds = false;
  }
  const Freshness freshness = sa.window.Judge(sequence);
  if (freshness == Freshness::kReplayed) return CountDrop(Drop::kEspReplayed, &session);
  if (freshness == Freshness::kTooOld) return CountDrop(Drop::kEspTooOld, &session);
  if (!holds) return CountDrop(Drop::kEspIcv, &session);
  sa.window.Accept(sequence);
  // Live, not with the row: should this thread die, its successor refuses what was taken here.
  std::atomic_ref<uint64_t>(account().SaAt(sa.accountSlot).top).store(sa.window.top(), std::memory_order_relaxed);
  if (sa.icvOctets == 0) {
    sa.icvOctets = opening.icvOctets;
    if (opening.icvOctets == kTruncatedIcv) {
      account().Count(Counter::kIcvTruncated);
      records_.Begin(RecordKind::kIcvTruncated);
      records_.U64(session.id);
      records_.U32(sa.entry.inboundSpi);
      records_.Text(session.trace);
      records_.End();
    }
  }
  const uint32_t iv = static_cast<uint32_t>(crypto::IvOctets(sa.suite().cipher));
  uint8_t* plain = opening.esp + kEspHeader + iv;
  if (opening.clear != nullptr) {
    home_ = plain;
    plain = opening.clear;
  }
  const uint32_t plainOctets = opening.length - kEspHeader - iv - opening.icvOctets;
  const int64_t payload = PayloadOctets(plain, plainOctets);
  if (payload < 0) return CountDrop(Drop::kEspTrailer, &session);
  account().Count(Counter::kEspIn);
  sa.seen = true;
  session.lastInboundAt = at;
  Touch(session);
  if (freshness == Freshness::kNewest && sa.entry.udp) FollowEndpoint(sa, *opening.outer->flow, at);
  const uint8_t nextHeader = plain[plainOctets - 1];
  if (nextHeader == ip::kNoNextHeader) return CountDrop(Drop::kEspDummy, &session);
  const size_t length = static_cast<size_t>(payload);
  if (sa.tunnel()) return TunnelIn(sa, plain, length, nextHeader, opening.outer->tos, at);
  if (nextHeader != ip::kUdp) return CountDrop(Drop::kEspNextHeader, &session);
  DatagramIn(sa, plain, length, opening.outer->tos, at);
}

// The client's NAT gave it another address or port: the newest authenticated packet says where it is now.
// The session's other SAs run through the same NAT, so those that stood at the old place move along.
void Engine::FollowEndpoint(Sa& sa, const Flow& flow, double at) {
  if (sa.endpoint == flow) return;
  Session& session = *sa.session;
  if (!session.moves.Take(limits::kMove, at)) return;
  const Flow from = sa.endpoint;
  for (Sa* other : session.sas) {
    if (other == &sa || other->endpoint == from) other->endpoint = flow;
  }
  account().Count(Counter::kMoves);
  records_.Begin(RecordKind::kEndpointMoved);
  records_.U64(session.id);
  records_.Path(from);
  records_.Path(flow);
  records_.Text(session.trace);
  records_.End();
}

}  // namespace culvert
