// Every reason for which the engine drops a packet, in the order of pipeline/reasons.ts, which the
// TypeScript face compares at load.
#pragma once

#include <cstddef>
#include <cstdint>

namespace culvert {

#define CULVERT_DROP_REASONS(X)                 \
  X(kOuterMalformed, "outer-malformed")         \
  X(kIkeRate, "ike-rate")                       \
  X(kUnknownSpi, "unknown-spi")                 \
  X(kSaExpired, "sa-expired")                   \
  X(kWrongEncapsulation, "wrong-encapsulation") \
  X(kEspLength, "esp-length")                   \
  X(kEspReplayed, "esp-replayed")               \
  X(kEspTooOld, "esp-too-old")                  \
  X(kEspIcv, "esp-icv")                         \
  X(kEspTrailer, "esp-trailer")                 \
  X(kEspDummy, "esp-dummy")                     \
  X(kEspNextHeader, "esp-next-header")          \
  X(kUdpMalformed, "udp-malformed")             \
  X(kSelector, "selector")                      \
  X(kL2tpMalformed, "l2tp-malformed")           \
  X(kL2tpUnknownCall, "l2tp-unknown-call")      \
  X(kL2tpOldSequence, "l2tp-old-sequence")      \
  X(kPppMalformed, "ppp-malformed")             \
  X(kPppNoLink, "ppp-no-link")                  \
  X(kNoLink, "no-link")                         \
  X(kControlRate, "control-rate")               \
  X(kInnerMalformed, "inner-malformed")         \
  X(kInnerOptions, "inner-options")             \
  X(kInnerSource, "inner-source")               \
  X(kInnerMartian, "inner-martian")             \
  X(kInnerMulticast, "inner-multicast")         \
  X(kInnerToGateway, "inner-to-gateway")        \
  X(kInnerToClient, "inner-to-client")          \
  X(kInnerNotAllowed, "inner-not-allowed")      \
  X(kAcl, "acl")                                \
  X(kEcn, "ecn")                                \
  X(kRate, "rate")                              \
  X(kOverload, "overload")                      \
  X(kTunMalformed, "tun-malformed")             \
  X(kNoRoute, "no-route")                       \
  X(kTooBig, "too-big")                         \
  X(kNoSession, "no-session")                   \
  X(kNoCall, "no-call")                         \
  X(kNoSa, "no-sa")                             \
  X(kSequenceStalled, "sequence-stalled")       \
  X(kSequenceExhausted, "sequence-exhausted")

enum class Drop : uint8_t {
#define CULVERT_NAME(name, text) name,
  CULVERT_DROP_REASONS(CULVERT_NAME)
#undef CULVERT_NAME
};

constexpr const char* kDropNames[] = {
#define CULVERT_TEXT(name, text) text,
    CULVERT_DROP_REASONS(CULVERT_TEXT)
#undef CULVERT_TEXT
};
constexpr size_t kDropReasons = sizeof kDropNames / sizeof kDropNames[0];

}  // namespace culvert
