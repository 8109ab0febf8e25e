#include "trail.h"

#include <cstring>

#include "octets.h"

namespace culvert {
namespace {

constexpr size_t kUdpHeader = 8;
constexpr uint16_t kLength = 0x4000;
// Ns, Nr and Offset make every header another.
constexpr uint16_t kVarying = 0x0a00;
constexpr uint8_t kSyn = 0x02;
constexpr uint16_t kFragmented = 0x3fff;

}  // namespace

void Trail::Keep(const Sa& sa, Link& link, const uint8_t* payload, const ip::Packet& packet) {
  sa_ = nullptr;
  headers_ = static_cast<uint32_t>(packet.octets - payload);
  const uint16_t flags = Load16(payload + kUdpHeader);
  const bool plain = packet.upper == (packet.ipv4 ? ip::kIpv4Header : ip::kIpv6Header) && !packet.fragmented &&
                     (packet.protocol == ip::kTcp || packet.protocol == ip::kUdp);
  // Rules and rates look at every packet.
  if (!plain || headers_ > kHeaders || (flags & kVarying) != 0 || link.entry.hasRules || link.entry.hasRateFromPeer) {
    return;
  }
  hasLength_ = (flags & kLength) != 0;
  uint8_t expected[kHeaders] = {};
  uint8_t mask[kHeaders] = {};
  std::memcpy(expected, payload, headers_);
  std::memset(mask, 0xff, headers_);
  // Length and checksum of UDP, Length of L2TP.
  std::memset(mask + 4, 0, 4);
  if (hasLength_) std::memset(mask + kUdpHeader + 2, 0, 2);
  std::memcpy(mask_, mask, sizeof mask_);
  std::memcpy(expected_, expected, sizeof expected_);
  for (size_t i = 0; i < kHeaders / 8; i++) expected_[i] &= mask_[i];
  ipv4_ = packet.ipv4;
  protocol_ = packet.protocol;
  std::memcpy(addresses_, packet.octets + (ipv4_ ? 12 : 8), ipv4_ ? 8 : 32);
  link_ = &link;
  sa_ = &sa;
}

bool Trail::Continues(uint8_t* payload, size_t length, ip::Packet& packet) const {
  if (length < headers_ + ip::kIpv6Header || Load16(payload + 4) != length) return false;
  if (hasLength_ && Load16(payload + kUdpHeader + 2) != length - kUdpHeader) return false;
  uint64_t different = 0;
  for (size_t i = 0; i < kHeaders / 8; i++) {
    uint64_t word;
    std::memcpy(&word, payload + i * 8, sizeof word);
    different |= (word & mask_[i]) ^ expected_[i];
  }
  if (different != 0) return false;
  uint8_t* octets = payload + headers_;
  const uint32_t octetCount = static_cast<uint32_t>(length) - headers_;
  if (ipv4_) {
    if (octets[0] != 0x45 || octets[9] != protocol_ || Load16(octets + 2) != octetCount) return false;
    const uint16_t fragment = Load16(octets + 6);
    if ((fragment & kFragmented) != 0 || std::memcmp(octets + 12, addresses_, 8) != 0) return false;
    if (Folded(SumHeader(octets, ip::kIpv4Header)) != 0xffff) return false;
    packet = {octets, octetCount, ip::kIpv4Header, 0, protocol_, true, false, false, (fragment & 0x4000) != 0};
  } else {
    if (octets[0] >> 4 != 6 || octets[6] != protocol_ || Load16(octets + 4) + ip::kIpv6Header != octetCount) return false;
    if (std::memcmp(octets + 8, addresses_, 32) != 0) return false;
    packet = {octets, octetCount, ip::kIpv6Header, 0, protocol_, false, false, false, false};
  }
  // A SYN's MSS is looked at.
  return protocol_ == ip::kUdp || (packet.UpperOctets() >= 20 && (packet.Upper()[13] & kSyn) == 0);
}

}  // namespace culvert
