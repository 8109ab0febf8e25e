// Inner packets: what of IPv4, IPv6, TCP and ICMP the engine looks at. The same law as shared/wire/ip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "rows.h"

namespace culvert::ip {

constexpr uint8_t kIcmp = 1;
constexpr uint8_t kIpv4 = 4;
constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;
constexpr uint8_t kDccp = 33;
constexpr uint8_t kIpv6 = 41;
constexpr uint8_t kIcmpv6 = 58;
constexpr uint8_t kNoNextHeader = 59;
constexpr uint8_t kSctp = 132;
constexpr uint8_t kUdpLite = 136;

constexpr size_t kIpv4Header = 20;
constexpr size_t kIpv6Header = 40;
// RFC 8200 §5.
constexpr size_t kIpv6Mtu = 1280;

// A parsed packet of either family. `octets` is the whole packet, without what lay behind it.
struct Packet {
  uint8_t* octets;
  uint32_t length;
  // Where the upper protocol begins, behind options or extension headers.
  uint32_t upper;
  uint32_t fragmentOffset;
  uint8_t protocol;
  bool ipv4;
  bool fragmented;
  // IPv4: source route or unreadable options. IPv6: a routing header.
  bool routed;
  bool dontFragment;

  Address Source() const { return ipv4 ? Address::Mapped(octets + 12) : Address::Of(octets + 8); }
  Address Destination() const { return ipv4 ? Address::Mapped(octets + 16) : Address::Of(octets + 24); }
  const uint8_t* Upper() const { return octets + upper; }
  uint32_t UpperOctets() const { return length - upper; }
  uint8_t TypeOfService() const {
    return ipv4 ? octets[1] : static_cast<uint8_t>((octets[0] << 4) | (octets[1] >> 4));
  }
};

// RFC 791 §3.1 with its header checksum; octets beyond Total Length are ignored.
bool ParseIpv4(uint8_t* octets, size_t length, Packet& packet);
// RFC 8200 §3 and §4, at most four extension headers.
bool ParseIpv6(uint8_t* octets, size_t length, Packet& packet);

// Source and destination port as a selector or rule sees them; false when the packet does not show them.
struct Ports {
  uint16_t source;
  uint16_t destination;
  bool known;
};
// `icmp`: type and code stand for both ports (RFC 4301 §4.4.1.1).
Ports PortsOf(const Packet& packet, bool icmp);

// RFC 6691 §2: lowers the MSS of a SYN in place.
void ClampMss(const Packet& packet, int64_t limit);

// Sets the two ECN bits, and the IPv4 header checksum with them (RFC 1624).
void SetEcn(const Packet& packet, uint8_t ecn);

// RFC 792 Echo Reply to a whole Echo, as a packet of its own; empty when it is none.
std::vector<uint8_t> EchoReply4(const Packet& packet);
// RFC 1191 §4, RFC 4443 §3.2: from the refused packet's destination to its source.
std::vector<uint8_t> FragmentationNeeded(const Packet& packet, uint16_t mtu);
std::vector<uint8_t> PacketTooBig(const Packet& packet, uint32_t mtu);
// RFC 1122 §3.2.2, RFC 4443 §2.4(e): no error may answer one of these.
bool IsIcmpError(const Packet& packet);

// RFC 791 §2.3.
std::vector<std::vector<uint8_t>> Fragments4(const Packet& packet, size_t mtu);

}  // namespace culvert::ip
