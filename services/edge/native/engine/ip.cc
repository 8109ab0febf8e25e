#include "ip.h"

#include <algorithm>

#include "octets.h"

namespace culvert::ip {
namespace {

constexpr uint16_t kDontFragment = 0x4000;
constexpr uint16_t kMoreFragments = 0x2000;
constexpr uint16_t kFragmentOffset = 0x1fff;

constexpr uint8_t kOptionEnd = 0;
constexpr uint8_t kOptionNop = 1;
constexpr uint8_t kLooseSourceRoute = 131;
constexpr uint8_t kStrictSourceRoute = 137;

// RFC 791 §3.1 source routes; options that do not parse count as one, for they may hide one.
bool HasSourceRoute(const uint8_t* options, size_t length) {
  size_t at = 0;
  while (at < length) {
    const uint8_t type = options[at];
    if (type == kOptionEnd) return false;
    if (type == kLooseSourceRoute || type == kStrictSourceRoute) return true;
    if (type == kOptionNop) {
      at++;
      continue;
    }
    const size_t octets = at + 1 < length ? options[at + 1] : 0;
    if (octets < 2 || at + octets > length) return true;
    at += octets;
  }
  return false;
}

constexpr uint8_t kHopByHop = 0;
constexpr uint8_t kRouting = 43;
constexpr uint8_t kFragment = 44;
constexpr uint8_t kDestinationOptions = 60;
constexpr size_t kExtensionLeast = 8;
constexpr int kExtensionHeaders = 4;

constexpr uint8_t kSyn = 0x02;
constexpr size_t kTcpHeader = 20;
constexpr uint8_t kOptionMss = 2;

// Where the MSS value stands in a segment; 0 when there is none.
size_t FindMss(const uint8_t* segment, size_t header) {
  size_t at = kTcpHeader;
  while (at < header) {
    const uint8_t kind = segment[at];
    if (kind == kOptionEnd) return 0;
    if (kind == kOptionNop) {
      at++;
      continue;
    }
    // The segment is at least as long as its header, but the length octet may lie behind the last option.
    const size_t length = at + 1 < header ? segment[at + 1] : 0;
    if (length < 2 || at + length > header) return 0;
    if (kind == kOptionMss) return length == 4 ? at + 2 : 0;
    at += length;
  }
  return 0;
}

}  // namespace

bool ParseIpv4(uint8_t* octets, size_t length, Packet& packet) {
  if (length < kIpv4Header || octets[0] >> 4 != 4) return false;
  const uint32_t header = (octets[0] & 0x0fu) * 4;
  const uint32_t total = Load16(octets + 2);
  if (header < kIpv4Header || header > total || total > length) return false;
  const uint16_t flags = Load16(octets + 6);
  const uint32_t offset = (flags & kFragmentOffset) * 8u;
  // A fragment that ends beyond the largest packet is the oldest of attacks.
  if (offset + total - header > 0xffff) return false;
  if (Folded(SumHeader(octets, header)) != 0xffff) return false;
  packet = {octets,
            total,
            header,
            offset,
            octets[9],
            true,
            offset > 0 || (flags & kMoreFragments) != 0,
            header > kIpv4Header && HasSourceRoute(octets + kIpv4Header, header - kIpv4Header),
            (flags & kDontFragment) != 0};
  return true;
}

bool ParseIpv6(uint8_t* octets, size_t length, Packet& packet) {
  if (length < kIpv6Header || octets[0] >> 4 != 6) return false;
  const uint32_t end = static_cast<uint32_t>(kIpv6Header) + Load16(octets + 4);
  if (end > length) return false;
  packet = {octets, end, kIpv6Header, 0, octets[6], false, false, false, false};
  for (int count = 0;; count++) {
    const uint8_t protocol = packet.protocol;
    if (protocol != kHopByHop && protocol != kRouting && protocol != kFragment && protocol != kDestinationOptions) {
      return true;
    }
    const uint8_t* header = octets + packet.upper;
    if (count == kExtensionHeaders || end - packet.upper < kExtensionLeast) return false;
    // RFC 8200 §4.1: Hop-by-Hop Options may only come first.
    if (protocol == kHopByHop && count > 0) return false;
    const uint32_t size = protocol == kFragment ? 8 : (header[1] + 1u) * 8;
    if (size > end - packet.upper) return false;
    if (protocol == kRouting) packet.routed = true;
    if (protocol == kFragment) {
      if (packet.fragmented) return false;
      packet.fragmented = true;
      packet.fragmentOffset = Load16(header + 2) & 0xfff8;
    }
    packet.upper += size;
    packet.protocol = header[0];
    if (packet.fragmented && packet.fragmentOffset > 0) return true;
  }
}

Ports PortsOf(const Packet& packet, bool icmp) {
  if (packet.fragmentOffset > 0) return {0, 0, false};
  const uint8_t* upper = packet.Upper();
  switch (packet.protocol) {
    case kTcp:
    case kUdp:
    case kSctp:
    case kUdpLite:
    case kDccp:
      if (packet.UpperOctets() < 4) return {0, 0, false};
      return {Load16(upper), Load16(upper + 2), true};
    case kIcmp:
    case kIcmpv6:
      if (!icmp || packet.UpperOctets() < 2) return {0, 0, false};
      return {Load16(upper), Load16(upper), true};
    default:
      return {0, 0, false};
  }
}

void ClampMss(const Packet& packet, int64_t limit) {
  uint8_t* segment = packet.octets + packet.upper;
  const size_t length = packet.UpperOctets();
  if (length < kTcpHeader || (segment[13] & kSyn) == 0) return;
  const size_t header = (segment[12] >> 4) * 4u;
  if (header < kTcpHeader || header > length) return;
  const size_t at = FindMss(segment, header);
  if (at == 0 || Load16(segment + at) <= limit) return;
  // The value may stand at an odd offset: then it spans two checksum words.
  const size_t from = at & ~size_t{1};
  const size_t to = (at + 3) & ~size_t{1};
  uint16_t before[2] = {};
  for (size_t word = from; word < to; word += 2) before[(word - from) / 2] = Load16(segment + word);
  Store16(segment + at, static_cast<uint16_t>(limit));
  for (size_t word = from; word < to; word += 2) {
    UpdateChecksum(segment + 16, before[(word - from) / 2], Load16(segment + word));
  }
}

void SetEcn(const Packet& packet, uint8_t ecn) {
  uint8_t* octets = packet.octets;
  if (packet.ipv4) {
    const uint16_t before = Load16(octets);
    octets[1] = static_cast<uint8_t>((octets[1] & 0xfc) | ecn);
    UpdateChecksum(octets + 10, before, Load16(octets));
  } else {
    octets[1] = static_cast<uint8_t>((octets[1] & 0xcf) | (ecn << 4));
  }
}

}  // namespace culvert::ip
