// The engine's tables. Rows are changed in place: one thread owns them.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "../crypto/crypto.h"
#include "replay_window.h"
#include "token_bucket.h"

namespace culvert {

constexpr size_t kAddressOctets = 16;

// An address of either family: IPv6 as it is, IPv4 mapped (RFC 4291 §2.5.5.2).
struct Address {
  uint8_t octets[kAddressOctets];

  bool IsIpv4() const {
    uint64_t high;
    uint32_t middle;
    std::memcpy(&high, octets, sizeof high);
    std::memcpy(&middle, octets + 8, sizeof middle);
    return high == 0 && middle == 0xffff0000u;
  }
  const uint8_t* four() const { return octets + 12; }
  bool operator==(const Address& other) const { return std::memcmp(octets, other.octets, sizeof octets) == 0; }
  static Address Mapped(const uint8_t* four) {
    // In whole words: what is stored in pieces is slow to load as one.
    uint32_t last;
    std::memcpy(&last, four, sizeof last);
    const uint64_t words[2] = {0, 0xffff0000u | uint64_t{last} << 32};
    Address made;
    std::memcpy(made.octets, words, sizeof words);
    return made;
  }
  static Address Of(const uint8_t* sixteen) {
    Address made;
    std::memcpy(made.octets, sixteen, sizeof made.octets);
    return made;
  }
};
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "IsIpv4 reads little-endian words");

// `bits` counts from the start of the 16 octets: an IPv4 /24 has 120.
struct Prefix {
  Address address;
  uint8_t bits;

  bool Contains(const Address& other) const {
    const size_t whole = bits / 8;
    if (std::memcmp(address.octets, other.octets, whole) != 0) return false;
    const unsigned rest = bits & 7;
    return rest == 0 || ((address.octets[whole] ^ other.octets[whole]) & (0xff00u >> rest) & 0xff) == 0;
  }
  bool operator==(const Prefix& other) const { return bits == other.bits && address == other.address; }
};

// An outer path as this gateway sees it.
struct Flow {
  Address local;
  Address remote;
  uint16_t localPort;
  uint16_t remotePort;
  bool operator==(const Flow& other) const {
    return remotePort == other.remotePort && localPort == other.localPort && remote == other.remote &&
           local == other.local;
  }
};

// RFC 7296 §3.13.1; addresses of one family, protocol 0 for every one.
struct TrafficSelector {
  Address from;
  Address to;
  uint16_t fromPort;
  uint16_t toPort;
  uint8_t protocol;
};

struct PolicyRule {
  Prefix prefix;
  uint16_t fromPort;
  uint16_t toPort;
  uint8_t protocol;
  uint8_t accountingClass;
  bool permit;
};

struct Selectors {
  std::vector<TrafficSelector> local;
  std::vector<TrafficSelector> remote;
};

struct SaEntry {
  uint32_t inboundSpi;
  uint32_t outboundSpi;
  crypto::Keys inbound;
  crypto::Keys outbound;
  Flow flow;
  uint16_t selectorLocalPort;
  uint16_t selectorRemotePort;
  bool udp;
  bool esn;
  double createdAt;
  double expiresAt;
  // Set in tunnel mode.
  std::shared_ptr<const Selectors> selectors;
};

struct CallEntry {
  uint16_t ourTunnel;
  uint16_t ourCall;
  uint16_t theirTunnel;
  uint16_t theirCall;
  uint16_t localPort;
  uint16_t remotePort;
  bool sequencing;
};

struct LinkEntry {
  uint16_t call;
  bool hasIpv4 = false;
  bool hasIpv6 = false;
  bool pfc;
  bool acfc;
  uint16_t mtuToPeer;
  uint16_t mruFromPeer;
  Prefix ipv4;
  Prefix ipv6;
  std::vector<Prefix> routes;
  bool hasRules = false;
  std::vector<PolicyRule> rules;
  bool hasRateFromPeer = false;
  bool hasRateToPeer = false;
  Rate rateFromPeer;
  Rate rateToPeer;
  // Of the outer header; negative: copied from the inner packet.
  int dscp = -1;
};

struct Session;
struct Link;

// Where expanded keys lie in the slab, if they still do.
struct ContextRef {
  uint32_t slot = UINT32_MAX;
  uint32_t owner = 0;
};

// A payload that waits for sequence numbers.
struct Stalled {
  std::vector<uint8_t> payload;
  uint8_t nextHeader;
  uint8_t tos;
  double at;
};

// Reserved outbound sequence numbers: [next, end), then [followingNext, followingEnd).
struct SequenceBlocks {
  uint64_t next = 0;
  uint64_t end = 0;
  uint64_t followingNext = 0;
  uint64_t followingEnd = 0;
  // The first number sealed under this engine's IV prefix; 0 before.
  uint64_t firstSealed = 0;
  bool asked = false;
  // No more will be granted.
  bool last = false;

  bool HasFollowing() const { return followingEnd != 0; }
  void TurnOver() {
    if (next < end || !HasFollowing()) return;
    next = followingNext;
    end = followingEnd;
    followingNext = followingEnd = 0;
  }
};

struct Sa {
  Session* session;
  SaEntry entry;
  Flow endpoint;
  ReplayWindow window;
  SequenceBlocks sequence;
  ContextRef opening;
  ContextRef sealing;
  std::unique_ptr<std::deque<Stalled>> stalled;
  uint32_t accountSlot = 0;
  // What its path takes, where that was found out, and until when that is believed.
  uint16_t pathMtu = 0;
  double pathMtuUntil = 0;
  // Of the ICV; 0 while a SHA-2 SA has not shown which one its peer makes.
  uint8_t icvOctets;
  bool seen = false;
  bool kept = false;

  crypto::Suite suite() const { return entry.inbound.suite; }
  uint8_t sealedIcvOctets() const {
    return icvOctets != 0 ? icvOctets : static_cast<uint8_t>(crypto::IcvOctets(suite()));
  }
  bool tunnel() const { return entry.selectors != nullptr; }
};

struct Call {
  Session* session;
  CallEntry entry;
  std::unique_ptr<Link> link;
  uint16_t nsOut = 0;
  int32_t nsExpected = -1;
  TokenBucket control;
  TokenBucket linkLocal;
};

struct Link {
  Session* session;
  // Null in tunnel mode.
  Call* call;
  LinkEntry entry;
  TokenBucket fromPeer;
  TokenBucket toPeer;
  TokenBucket linkLocal;
  // The destination that was last found permitted under this policy.
  Address lastDestination{};
  uint32_t lastPolicy = 0;
};

// What one record declares for the session, as it came.
struct Declared {
  uint8_t bucket;
  std::string trace;
  std::vector<uint8_t> octets;
};

struct Session {
  uint64_t id;
  std::vector<Declared> declared;
  std::string trace;
  // Newest first.
  std::vector<Sa*> sas;
  std::vector<std::unique_ptr<Call>> calls;
  std::unique_ptr<Link> tunnelLink;
  double lastInboundAt = -1;
  uint64_t drops = 0;
  uint64_t* account = nullptr;
  uint32_t accountSlot = 0;
  bool touched = false;
  TokenBucket control;
  TokenBucket icmp;
  TokenBucket moves;
  // What it asked for in the present round (fair_share.h).
  double share = 0;
  uint32_t shareRound = 0;

  Call* FindCall(uint16_t id) const {
    for (const auto& call : calls) {
      if (call->entry.ourCall == id) return call.get();
    }
    return nullptr;
  }
};

// How far an SA had come that is not in the tables (pipeline/past.ts).
struct Mark {
  uint32_t outboundSpi;
  uint64_t top;
  uint64_t next;
  // The first number sealed by this engine; 0 where it sealed none.
  uint64_t first = 0;
};

}  // namespace culvert
