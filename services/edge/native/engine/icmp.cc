// Packets that the engine makes itself: Echo replies, too-big errors, fragments.
#include <algorithm>

#include "ip.h"
#include "octets.h"

namespace culvert::ip {
namespace {

constexpr size_t kIcmpHeader = 8;
// RFC 1812 §4.3.2.3: an ICMPv4 error is at most 576 octets.
constexpr size_t kError4 = 576;
constexpr uint8_t kHopLimit = 64;
constexpr uint16_t kDontFragment = 0x4000;
constexpr uint16_t kMoreFragments = 0x2000;
constexpr uint8_t kCopied = 0x80;

void EmitIpv4(uint8_t* into, size_t length, const uint8_t* source, const uint8_t* destination) {
  std::fill_n(into, kIpv4Header, uint8_t{0});
  into[0] = 0x45;
  Store16(into + 2, static_cast<uint16_t>(length));
  Store16(into + 6, kDontFragment);
  into[8] = kHopLimit;
  into[9] = kIcmp;
  std::copy_n(source, 4, into + 12);
  std::copy_n(destination, 4, into + 16);
  StoreChecksum(into + 10, SumOf(into, kIpv4Header));
}

// RFC 791 §3.1: options with the copied bit go into every fragment.
std::vector<uint8_t> CopiedOptions(const uint8_t* options, size_t length) {
  std::vector<uint8_t> kept;
  size_t at = 0;
  while (at < length) {
    const uint8_t type = options[at];
    if (type == 0) break;
    const size_t least = type == 1 ? 1 : 2;
    const size_t octets = type == 1 ? 1 : (at + 1 < length ? options[at + 1] : 0);
    if (octets < least || at + octets > length) break;
    if ((type & kCopied) != 0) kept.insert(kept.end(), options + at, options + at + octets);
    at += octets;
  }
  while (kept.size() % 4 != 0) kept.push_back(0);
  return kept;
}

}  // namespace

std::vector<uint8_t> EchoReply4(const Packet& packet) {
  const uint8_t* message = packet.Upper();
  const size_t octets = packet.UpperOctets();
  if (packet.protocol != kIcmp || packet.fragmented) return {};
  if (octets < kIcmpHeader || message[0] != 8 || message[1] != 0) return {};
  std::vector<uint8_t> reply(kIpv4Header + octets);
  EmitIpv4(reply.data(), reply.size(), packet.octets + 16, packet.octets + 12);
  uint8_t* at = reply.data() + kIpv4Header;
  std::copy_n(message, octets, at);
  at[0] = 0;
  at[2] = at[3] = 0;
  StoreChecksum(at + 2, SumOf(at, octets));
  return reply;
}

std::vector<uint8_t> FragmentationNeeded(const Packet& packet, uint16_t mtu) {
  const size_t quoted = std::min<size_t>(packet.length, kError4 - kIpv4Header - kIcmpHeader);
  std::vector<uint8_t> error(kIpv4Header + kIcmpHeader + quoted);
  EmitIpv4(error.data(), error.size(), packet.octets + 16, packet.octets + 12);
  uint8_t* at = error.data() + kIpv4Header;
  at[0] = 3;
  at[1] = 4;
  Store16(at + 6, mtu);
  std::copy_n(packet.octets, quoted, at + kIcmpHeader);
  StoreChecksum(at + 2, SumOf(at, kIcmpHeader + quoted));
  return error;
}

std::vector<uint8_t> PacketTooBig(const Packet& packet, uint32_t mtu) {
  const size_t quoted = std::min<size_t>(packet.length, kIpv6Mtu - kIpv6Header - kIcmpHeader);
  const size_t length = kIcmpHeader + quoted;
  std::vector<uint8_t> error(kIpv6Header + length);
  error[0] = 0x60;
  Store16(error.data() + 4, static_cast<uint16_t>(length));
  error[6] = kIcmpv6;
  error[7] = kHopLimit;
  std::copy_n(packet.octets + 24, 16, error.data() + 8);
  std::copy_n(packet.octets + 8, 16, error.data() + 24);
  uint8_t* at = error.data() + kIpv6Header;
  at[0] = 2;
  Store32(at + 4, mtu);
  std::copy_n(packet.octets, quoted, at + kIcmpHeader);
  StoreChecksum(at + 2,
                SumOf(at, length, PseudoHeader(error.data() + 8, error.data() + 24, 16, kIcmpv6, length)));
  return error;
}

bool IsIcmpError(const Packet& packet) {
  const uint8_t type = packet.UpperOctets() > 0 ? packet.Upper()[0] : 0;
  if (packet.ipv4) {
    return packet.protocol == kIcmp && (type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
  }
  return packet.protocol == kIcmpv6 && type < 128;
}

std::vector<std::vector<uint8_t>> Fragments4(const Packet& packet, size_t mtu) {
  const size_t payload = packet.UpperOctets();
  const std::vector<uint8_t> own(packet.octets + kIpv4Header, packet.octets + packet.upper);
  const std::vector<uint8_t> later = CopiedOptions(own.data(), own.size());
  const bool more = (Load16(packet.octets + 6) & kMoreFragments) != 0;
  std::vector<std::vector<uint8_t>> out;
  size_t from = 0;
  while (from < payload) {
    const std::vector<uint8_t>& options = from == 0 ? own : later;
    const size_t header = kIpv4Header + options.size();
    if (mtu < header + 8) return {};
    const bool last = payload - from <= mtu - header;
    const size_t length = last ? payload - from : (mtu - header) & ~size_t{7};
    std::vector<uint8_t> fragment(header + length);
    std::copy_n(packet.octets, kIpv4Header, fragment.data());
    std::copy(options.begin(), options.end(), fragment.data() + kIpv4Header);
    fragment[0] = static_cast<uint8_t>(0x40 | (header / 4));
    Store16(fragment.data() + 2, static_cast<uint16_t>(fragment.size()));
    const uint16_t flags = static_cast<uint16_t>((packet.dontFragment ? kDontFragment : 0) |
                                                 (more || !last ? kMoreFragments : 0));
    Store16(fragment.data() + 6, static_cast<uint16_t>(flags | ((packet.fragmentOffset + from) / 8)));
    fragment[10] = fragment[11] = 0;
    StoreChecksum(fragment.data() + 10, SumOf(fragment.data(), header));
    std::copy_n(packet.Upper() + from, length, fragment.data() + header);
    out.push_back(std::move(fragment));
    from += length;
  }
  return out;
}

}  // namespace culvert::ip
