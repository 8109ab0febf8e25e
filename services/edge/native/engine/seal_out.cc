// A packet on its way to a client: which SA, which number, UDP and L2TP around it.
#include <algorithm>

#include "engine.h"
#include "octets.h"
#include "policy.h"

namespace culvert {
namespace {

constexpr size_t kUdpHeader = 8;
// L2TP data header with Length; Ns and Nr; PPP address, control and protocol.
constexpr int64_t kL2tpHeader = 8;
constexpr int64_t kSequenceOctets = 4;
constexpr int64_t kPppHeader = 4;
constexpr uint16_t kDataFlags = 0x4002;
constexpr uint16_t kSequenceFlag = 0x0800;
constexpr uint16_t kLcp = 0xc021;
// RFC 2474 §4.2.2.2: control messages are CS6.
constexpr uint8_t kControlTos = 48 << 2;

// The longest header that DataHeader writes.
constexpr size_t kDataHeader = kUdpHeader + 12 + 4;

uint64_t SequenceEnd(const Sa& sa) { return sa.entry.esn ? limits::kExtendedSequenceEnd : limits::kSequenceEnd; }

}  // namespace

// The SA that carries outbound traffic: the newest that the peer was seen to use, for it may not have
// installed a newer one yet; before any was seen, the newest.
Sa* Engine::OutboundSa(const Session& session, bool tunnel, double at) const {
  Sa* fallback = nullptr;
  for (Sa* sa : session.sas) {
    if (sa->tunnel() != tunnel || sa->entry.expiresAt <= at) continue;
    if (sa->seen) return sa;
    if (fallback == nullptr) fallback = sa;
  }
  return fallback;
}

// The same among those whose selectors have the packet. `usable`: there are usable ones at all.
Sa* Engine::TunnelSa(const Session& session, const ip::Packet& packet, double at, bool& usable) const {
  Sa* fallback = nullptr;
  usable = false;
  for (Sa* sa : session.sas) {
    if (!sa->tunnel() || sa->entry.expiresAt <= at) continue;
    usable = true;
    if (!policy::Selected(packet, sa->entry.selectors->local, sa->entry.selectors->remote)) continue;
    if (sa->seen) return sa;
    if (fallback == nullptr) fallback = sa;
  }
  return fallback;
}

// The longest inner packet that needs no outer fragmentation.
int64_t Engine::InnerRoom(const Sa& sa, const Call* call, double at) const {
  const int64_t ip = sa.endpoint.remote.IsIpv4() ? ip::kIpv4Header : ip::kIpv6Header;
  const int64_t outer = sa.pathMtuUntil > at ? std::min(policy_.outerMtu, sa.pathMtu) : policy_.outerMtu;
  const int64_t room = Sealer::PayloadRoom(sa, outer - ip - (sa.entry.udp ? kUdpHeader : 0));
  if (call == nullptr) return room;
  return room - static_cast<int64_t>(kUdpHeader) - kL2tpHeader - (call->entry.sequencing ? kSequenceOctets : 0) - kPppHeader;
}

// RFC 1191 §6.3: believed for ten minutes, then tried again.
void Engine::LearnPathMtu(const Flow& flow, uint16_t mtu, double at) {
  sas_.ForEach([&](uint32_t, Sa* sa) {
    if (!(sa->endpoint == flow)) return;
    sa->pathMtu = std::max(mtu, limits::kPathMtu);
    sa->pathMtuUntil = at + limits::kPathMtuMs;
  });
}

void Engine::WantSequence(Sa& sa) {
  sa.sequence.asked = true;
  records_.Begin(RecordKind::kSequenceWanted);
  records_.U64(sa.session->id);
  records_.U32(sa.entry.inboundSpi);
  records_.U32(sa.entry.outboundSpi);
  records_.End();
}

// A number below the reservation's end, asking for the next block in time.
Engine::Numbered Engine::TakeSequence(Sa& sa, uint64_t& sequence) {
  SequenceBlocks& blocks = sa.sequence;
  // An IV has the low half of the number, so after 2^32 of them the next would be the first again.
  const uint64_t upcoming = blocks.next >= blocks.end && blocks.HasFollowing() ? blocks.followingNext : blocks.next;
  if (blocks.firstSealed != 0 && upcoming - blocks.firstSealed >= limits::kSequenceEnd) return Numbered::kExhausted;
  blocks.TurnOver();
  if (NeedsMore(sa)) WantSequence(sa);
  if (blocks.next >= blocks.end) {
    return blocks.last || blocks.next >= SequenceEnd(sa) ? Numbered::kExhausted : Numbered::kStalled;
  }
  sequence = blocks.next++;
  if (blocks.firstSealed == 0) blocks.firstSealed = sequence;
  return Numbered::kTaken;
}

bool Engine::NeedsMore(const Sa& sa) {
  const SequenceBlocks& blocks = sa.sequence;
  return !blocks.asked && !blocks.last && !blocks.HasFollowing() && blocks.end < SequenceEnd(sa) &&
         blocks.end - blocks.next <= limits::kSequenceBlock / 2;
}

// Numbers [first, end) are ours alone: committed before they were granted. What overlaps an earlier grant is
// taken once (INV-3). False when there are no new ones.
bool Engine::AddSequences(Sa& sa, uint64_t first, uint64_t end) {
  SequenceBlocks& blocks = sa.sequence;
  blocks.asked = false;
  blocks.TurnOver();
  const uint64_t from = std::max({first, uint64_t{1}, blocks.HasFollowing() ? blocks.followingEnd : blocks.end});
  const uint64_t to = std::min(end, SequenceEnd(sa));
  if (from >= to) {
    // Others had the rest: what we have is all there will be.
    if (to >= SequenceEnd(sa)) blocks.last = true;
    return false;
  }
  if (blocks.next >= blocks.end) {
    blocks.next = from;
    blocks.end = to;
  } else if (!blocks.HasFollowing()) {
    blocks.followingNext = from;
    blocks.followingEnd = to;
  } else if (blocks.followingEnd == from) {
    blocks.followingEnd = to;
  } else {
    // A third block with a gap before it is never used: that costs numbers, not order.
    return false;
  }
  return true;
}

void Engine::Grant(uint32_t inboundSpi, uint64_t first, uint64_t end, double at) {
  Sa* sa = sas_.Find(inboundSpi);
  if (sa == nullptr || !AddSequences(*sa, first, end)) return;
  if (sa->stalled == nullptr) return;
  // What has waited for numbers leaves, as far as they reach.
  const std::unique_ptr<std::deque<Stalled>> waiting = std::move(sa->stalled);
  for (const Stalled& one : *waiting) {
    if (at - one.at > limits::kStalledMs) {
      CountDrop(Drop::kSequenceStalled, sa->session);
      continue;
    }
    uint64_t sequence;
    const Numbered number = TakeSequence(*sa, sequence);
    if (number != Numbered::kTaken) {
      CountDrop(number == Numbered::kStalled ? Drop::kSequenceStalled : Drop::kSequenceExhausted, sa->session);
      continue;
    }
    std::copy(one.payload.begin(), one.payload.end(), Open(*sa, sequence, one.payload.size(), one.tos, true));
    sealer_.Close(one.nextHeader);
  }
}

uint8_t* Engine::Open(Sa& sa, uint64_t sequence, size_t payload, uint8_t tos, bool priority) {
  if (!sealer_.HasRoom(Sealer::SealedOctets(sa, payload))) Flush();
  account().Count(Counter::kEspOut);
  Touch(*sa.session);
  return sealer_.Open(sa, sequence, payload, tos, priority);
}

// Where a payload of the SA is to be written, `End` to follow; null when it is lost, which was counted.
uint8_t* Engine::Begin(Sa& sa, size_t payload, uint8_t nextHeader, uint8_t tos, bool priority, double at) {
  nextHeader_ = nextHeader;
  uint64_t sequence;
  const Numbered number = TakeSequence(sa, sequence);
  stalling_ = number != Numbered::kTaken;
  if (!stalling_) return Open(sa, sequence, payload, tos, priority);
  if (number == Numbered::kExhausted) {
    CountDrop(Drop::kSequenceExhausted, sa.session);
    return nullptr;
  }
  if (sa.stalled == nullptr) sa.stalled = std::make_unique<std::deque<Stalled>>();
  if (sa.stalled->size() >= limits::kStalledPackets) {
    CountDrop(Drop::kSequenceStalled, sa.session);
    return nullptr;
  }
  sa.stalled->push_back({std::vector<uint8_t>(payload), nextHeader, tos, at});
  return sa.stalled->back().payload.data();
}

void Engine::End() {
  if (!stalling_) sealer_.Close(nextHeader_);
}

// UDP, L2TP (RFC 2661 §3.1) and PPP in front of an information field; lengths and Ns are left to the caller.
size_t Engine::DataHeader(const Call& call, uint16_t protocol, bool pfc, bool acfc, uint8_t* into) const {
  const CallEntry& entry = call.entry;
  Store16(into, entry.localPort);
  Store16(into + 2, entry.remotePort);
  Store32(into + 4, 0);
  uint8_t* at = into + kUdpHeader;
  Store16(at, kDataFlags | (entry.sequencing ? kSequenceFlag : 0));
  Store16(at + 2, 0);
  Store16(at + 4, entry.theirTunnel);
  Store16(at + 6, entry.theirCall);
  at += 8;
  if (entry.sequencing) {
    Store32(at, 0);
    at += 4;
  }
  // RFC 1661 §6.6: never for LCP. §6.5: only odd numbers below 256 have a one-octet form.
  if (!acfc || protocol == kLcp) {
    Store16(at, 0xff03);
    at += 2;
  }
  if (pfc && protocol <= 0xff && (protocol & 1) == 1 && protocol != 0xff) {
    *at++ = static_cast<uint8_t>(protocol);
  } else {
    Store16(at, protocol);
    at += 2;
  }
  return static_cast<size_t>(at - into);
}

// RFC 3948 §3.1.2: behind NAT the addresses that a checksum would cover are not those the client sees.
// IPv4 may leave it out; IPv6 may not (RFC 8200 §8.1).
void Engine::FinishDatagram(const Sa& sa, uint8_t* datagram, size_t length) const {
  Store16(datagram + 4, static_cast<uint16_t>(length));
  const Address& local = sa.endpoint.local;
  const Address& remote = sa.endpoint.remote;
  const bool ipv4 = remote.IsIpv4();
  if (ipv4 && sa.entry.udp) return;
  const uint64_t pseudo = ipv4 ? PseudoHeader(local.four(), remote.four(), 4, ip::kUdp, length)
                               : PseudoHeader(local.octets, remote.octets, 16, ip::kUdp, length);
  StoreChecksum(datagram + 6, SumOf(datagram, length, pseudo));
  // RFC 768: a computed zero is sent as all ones, for zero says "none".
  if (Load16(datagram + 6) == 0) Store16(datagram + 6, 0xffff);
}

void Engine::SendFrame(Call& call, uint16_t protocol, const uint8_t* information, size_t length, bool pfc, bool acfc,
                       uint8_t tos, bool priority, double at) {
  uint8_t header[kDataHeader];
  const size_t headerOctets = DataHeader(call, protocol, pfc, acfc, header);
  Store16(header + kUdpHeader + 2, static_cast<uint16_t>(headerOctets - kUdpHeader + length));
  if (call.entry.sequencing) Store16(header + kUdpHeader + 8, call.nsOut++);
  Sa* sa = OutboundSa(*call.session, false, at);
  if (sa == nullptr) return CountDrop(Drop::kNoSa, call.session);
  uint8_t* datagram = Begin(*sa, headerOctets + length, ip::kUdp, tos, priority, at);
  if (datagram == nullptr) return;
  std::copy_n(header, headerOctets, datagram);
  std::copy_n(information, length, datagram + headerOctets);
  FinishDatagram(*sa, datagram, headerOctets + length);
  End();
}

void Engine::SendL2tp(Session& session, uint16_t localPort, uint16_t remotePort, const uint8_t* message, size_t length,
                      double at) {
  Sa* sa = OutboundSa(session, false, at);
  if (sa == nullptr) return CountDrop(Drop::kNoSa, &session);
  uint8_t* datagram = Begin(*sa, kUdpHeader + length, ip::kUdp, kControlTos, true, at);
  if (datagram == nullptr) return;
  Store16(datagram, localPort);
  Store16(datagram + 2, remotePort);
  Store32(datagram + 4, 0);
  std::copy_n(message, length, datagram + kUdpHeader);
  FinishDatagram(*sa, datagram, kUdpHeader + length);
  End();
}

bool Engine::L2tp(uint64_t session, uint16_t localPort, uint16_t remotePort, const uint8_t* message, size_t length,
                  double at) {
  Session* row = sessions_.Find(session);
  if (row == nullptr) {
    CountDrop(Drop::kNoSession, nullptr);
    return false;
  }
  SendL2tp(*row, localPort, remotePort, message, length, at);
  return true;
}

void Engine::Ppp(uint64_t session, uint16_t call, const uint8_t* frame, size_t length, double at) {
  Session* row = sessions_.Find(session);
  Call* found = row == nullptr ? nullptr : row->FindCall(call);
  if (found == nullptr || length < 2) return CountDrop(Drop::kNoCall, row);
  SendFrame(*found, Load16(frame), frame + 2, length - 2, false, false, kControlTos, true, at);
}

}  // namespace culvert
