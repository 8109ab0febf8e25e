// Inside ESP: the UDP datagram against the SA's selector, L2TP, PPP. Or, in tunnel mode, the IP packet.
#include <algorithm>

#include "engine.h"
#include "octets.h"

namespace culvert {
namespace {

// RFC 3193 §4: L2TP is spoken on this port of ours and no other.
constexpr uint16_t kL2tpPort = 1701;
constexpr size_t kUdpHeader = 8;

// RFC 2661 §3.1.
constexpr uint16_t kType = 0x8000;
constexpr uint16_t kLength = 0x4000;
constexpr uint16_t kSequence = 0x0800;
constexpr uint16_t kOffset = 0x0200;
constexpr uint16_t kVersion = 0x000f;

constexpr uint16_t kPppIpv4 = 0x0021;
constexpr uint16_t kPppIpv6 = 0x0057;

}  // namespace

// The checksum is not looked at: behind NAT it cannot be right (RFC 3948 §3.1.2).
void Engine::DatagramIn(Sa& sa, uint8_t* payload, size_t length, uint8_t tos, double at) {
  ip::Packet packet;
  if (trail_.Is(sa) && (tos & 3) == 0 && trail_.Continues(payload, length, packet)) {
    return Forward(trail_.link(), packet, 0);
  }
  trail_.Forget();
  if (home_ != nullptr) {
    // Another packet than the one that was expected where it lies.
    payload = std::copy_n(payload, length, home_) - length;
    coalescer_.Settle();
  }
  datagram_ = payload;
  if (length < kUdpHeader) return CountDrop(Drop::kUdpMalformed, sa.session);
  const size_t udpLength = Load16(payload + 4);
  if (udpLength < kUdpHeader || udpLength > length) return CountDrop(Drop::kUdpMalformed, sa.session);
  const uint16_t source = Load16(payload);
  const bool ours = Load16(payload + 2) == kL2tpPort &&
                    (sa.entry.selectorLocalPort == 0 || sa.entry.selectorLocalPort == kL2tpPort);
  const bool theirs = sa.entry.selectorRemotePort == 0 || sa.entry.selectorRemotePort == source;
  if (!ours || !theirs) return CountDrop(Drop::kSelector, sa.session);
  MessageIn(sa, source, payload + kUdpHeader, udpLength - kUdpHeader, tos, at);
}

void Engine::MessageIn(Sa& sa, uint16_t remotePort, uint8_t* message, size_t length, uint8_t tos, double at) {
  Session& session = *sa.session;
  if (length < 2 || (Load16(message) & kVersion) != 2) return CountDrop(Drop::kL2tpMalformed, &session);
  if ((Load16(message) & kType) == 0) return DataIn(sa, message, length, tos, at);
  if (!session.control.Take(limits::kL2tpControl, at)) return CountDrop(Drop::kControlRate, &session);
  if (records_.full()) return account().Count(Counter::kControlFull);
  records_.Begin(RecordKind::kL2tp);
  records_.U64(session.id);
  records_.U32(sa.entry.inboundSpi);
  records_.Path(sa.endpoint);
  records_.U16(kL2tpPort);
  records_.U16(remotePort);
  records_.Octets(message, length);
  records_.Text(session.trace);
  records_.End();
}

void Engine::DataIn(Sa& sa, uint8_t* message, size_t length, uint8_t tos, double at) {
  Session& session = *sa.session;
  if (length < 6) return CountDrop(Drop::kL2tpMalformed, &session);
  const uint16_t flags = Load16(message);
  const size_t header = 6u + ((flags & kLength) != 0 ? 2 : 0) + ((flags & kSequence) != 0 ? 4 : 0) +
                        ((flags & kOffset) != 0 ? 2 : 0);
  if (length < header) return CountDrop(Drop::kL2tpMalformed, &session);
  size_t next = 2;
  size_t end = length;
  if ((flags & kLength) != 0) {
    end = Load16(message + next);
    if (end < header || end > length) return CountDrop(Drop::kL2tpMalformed, &session);
    next += 2;
  }
  const uint16_t tunnel = Load16(message + next);
  const uint16_t callId = Load16(message + next + 2);
  next += 4;
  const uint16_t ns = Load16(message + next);
  if ((flags & kSequence) != 0) next += 4;
  if ((flags & kOffset) != 0) {
    const size_t padding = Load16(message + next);
    if (next + 2 + padding > end) return CountDrop(Drop::kL2tpMalformed, &session);
    next += 2 + padding;
  }
  // Calls are looked up within the SA's session: an SA never reaches another session's call.
  Call* call = session.FindCall(callId);
  if (call == nullptr || call->entry.ourTunnel != tunnel) return CountDrop(Drop::kL2tpUnknownCall, &session);
  if ((flags & kSequence) != 0) {
    // RFC 2661 §5.4 and appendix C: late and repeated data messages are discarded, never put in order.
    const uint16_t expected = call->nsExpected < 0 ? ns : static_cast<uint16_t>(call->nsExpected);
    if (static_cast<uint16_t>(ns - expected) >= 0x8000) return CountDrop(Drop::kL2tpOldSequence, &session);
    call->nsExpected = static_cast<uint16_t>(ns + 1);
  }
  FrameIn(sa, *call, message + next, end - next, tos, at);
}

// RFC 1661 §6.5, §6.6: every form a peer may send, negotiated or not.
void Engine::FrameIn(Sa& sa, Call& call, uint8_t* frame, size_t length, uint8_t tos, double at) {
  Session& session = *call.session;
  size_t next = length >= 2 && frame[0] == 0xff && frame[1] == 0x03 ? 2 : 0;
  if (next >= length) return CountDrop(Drop::kPppMalformed, &session);
  uint16_t protocol = frame[next++];
  if ((protocol & 1) == 0) {
    if (next >= length) return CountDrop(Drop::kPppMalformed, &session);
    protocol = static_cast<uint16_t>((protocol << 8) | frame[next++]);
  }
  uint8_t* information = frame + next;
  const size_t octets = length - next;
  if (protocol == kPppIpv4 || protocol == kPppIpv6) {
    const bool ipv4 = protocol == kPppIpv4;
    Link* link = call.link.get();
    // RFC 1661 §3.5: network packets before their control protocol is Opened are discarded.
    if (link == nullptr || !(ipv4 ? link->entry.hasIpv4 : link->entry.hasIpv6)) {
      return CountDrop(Drop::kPppNoLink, &session);
    }
    return UserIn(*link, sa, information, octets, ipv4, tos, at);
  }
  if (!call.control.Take(limits::kPppControl, at)) return CountDrop(Drop::kControlRate, &session);
  if (records_.full()) return account().Count(Counter::kControlFull);
  records_.Begin(RecordKind::kPpp);
  records_.U64(session.id);
  records_.U16(call.entry.ourCall);
  records_.U16(protocol);
  records_.Octets(information, octets);
  records_.Text(session.trace);
  records_.End();
}

// RFC 4301 §5.2: the packet inside must be what the SA was negotiated for.
void Engine::TunnelIn(Sa& sa, uint8_t* packet, size_t length, uint8_t nextHeader, uint8_t tos, double at) {
  Session& session = *sa.session;
  if (nextHeader != ip::kIpv4 && nextHeader != ip::kIpv6) return CountDrop(Drop::kEspNextHeader, &session);
  const bool ipv4 = nextHeader == ip::kIpv4;
  if (length > 0 && packet[0] >> 4 != (ipv4 ? 4 : 6)) return CountDrop(Drop::kEspNextHeader, &session);
  Link* link = session.tunnelLink.get();
  if (link == nullptr || !(ipv4 ? link->entry.hasIpv4 : link->entry.hasIpv6)) {
    return CountDrop(Drop::kNoLink, &session);
  }
  UserIn(*link, sa, packet, length, ipv4, tos, at);
}

}  // namespace culvert
