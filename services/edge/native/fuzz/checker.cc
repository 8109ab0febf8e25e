#include "checker.h"

#include <cstring>

#include "input.h"

namespace culvert::fuzz {
namespace {

ip::Packet Parsed(uint8_t* octets, size_t length, const char* law) {
  ip::Packet packet;
  const bool good = length > 0 && (octets[0] >> 4 == 4 ? ip::ParseIpv4(octets, length, packet)
                                                       : ip::ParseIpv6(octets, length, packet));
  Must(good, law);
  return packet;
}

uint64_t PseudoOf(const ip::Packet& packet) {
  const size_t size = packet.ipv4 ? 4 : 16;
  const uint8_t* addresses = packet.octets + (packet.ipv4 ? 12 : 8);
  return PseudoHeader(addresses, addresses + size, size, packet.protocol, packet.UpperOctets());
}

bool ChecksumHolds(const ip::Packet& packet) {
  return Folded(SumOf(packet.Upper(), packet.UpperOctets(), PseudoOf(packet))) == 0xffff;
}

void CheckSuperPacket(const ip::Packet& packet, const VnetHeader& vnet, uint32_t packets) {
  const bool tcp = packet.protocol == ip::kTcp;
  const uint8_t type = !tcp ? kGsoUdp : packet.ipv4 ? kGsoTcp4 : kGsoTcp6;
  Must(tcp || packet.protocol == ip::kUdp, "only TCP and UDP are joined");
  Must(vnet.gsoType == type && vnet.flags == kVnetNeedsChecksum, "a super-packet says what it is");
  Must(!packet.fragmented && vnet.checksumStart == packet.upper, "a super-packet's checksum starts at its transport");
  const size_t header = packet.upper + (tcp ? (packet.Upper()[12] >> 4) * 4u : 8u);
  Must(vnet.headerLength == header && header < packet.length, "a super-packet's headers are as long as it says");
  Must(vnet.gsoSize > 0 && (packet.length - header + vnet.gsoSize - 1) / vnet.gsoSize == packets,
       "a super-packet has as many segments as were joined");
  Must(vnet.checksumOffset == (tcp ? 16 : 6), "a super-packet's checksum stands where the protocol has it");
  Must(tcp || Load16(packet.Upper() + 4) == packet.UpperOctets(), "a UDP super-packet's length covers all of it");
  uint16_t partial;
  std::memcpy(&partial, packet.Upper() + vnet.checksumOffset, sizeof partial);
  Must(partial == Folded(PseudoOf(packet)), "a super-packet's checksum is that of the pseudo-header");
}

}  // namespace

void Checker::ToTun(const SuperPacket& given) {
  Must(given.length > kVnetHeader && given.packets > 0, "something is written");
  std::vector<uint8_t> copy(given.octets, given.octets + given.length);
  VnetHeader vnet;
  std::memcpy(&vnet, copy.data(), sizeof vnet);
  const ip::Packet packet = Parsed(copy.data() + kVnetHeader, copy.size() - kVnetHeader, "what is written is IP");
  Must(packet.length == copy.size() - kVnetHeader, "what is written is as long as its header says");
  if (given.packets > 1) return CheckSuperPacket(packet, vnet, given.packets);
  Must(vnet.gsoType == kGsoNone && vnet.gsoSize == 0, "one packet is no super-packet");
  Must(vnet.flags == 0 || (vnet.flags == kVnetDataValid && ChecksumHolds(packet)), "only what was summed is vouched for");
}

void Checker::ToPeers(const std::vector<Group>& groups) {
  const uint8_t* before = nullptr;
  for (const Group& group : groups) {
    Must(group.segment > 0 && group.length > 0 && group.count == (group.length + group.segment - 1) / group.segment,
         "a group has as many packets as fit its length");
    Must(group.octets >= before, "groups do not overlap");
    before = group.octets + group.length;
    Must(group.count == 1 || (group.udp && group.length <= 65507 && group.count <= 64), "a group can be sent at once");
    for (uint32_t at = 0; at < group.length; at += group.segment) {
      PacketToPeer(group, group.octets + at, std::min(group.segment, group.length - at));
    }
  }
}

void Checker::PacketToPeer(const Group& group, const uint8_t* sealed, size_t length) {
  const uint32_t spi = Load32(sealed);
  const Member member = MemberBySpi(spi);
  Must(group.udp == member.sa.udp, "a packet leaves in its SA's encapsulation");
  Must(numbers_.emplace(spi, Load32(sealed + 4)).second, "no sequence number is used twice");
  std::vector<uint8_t> plain = Opened(member.sa, sealed, length);
  Must(plain.size() >= 2, "the client can open what leaves");
  const uint8_t nextHeader = plain.back();
  const size_t padding = plain[plain.size() - 2];
  Must(padding + 2 <= plain.size(), "padding lies within its packet");
  plain.resize(plain.size() - 2 - padding);
  if (nextHeader == ip::kUdp && member.link.call != 0) {
    Must(plain.size() >= 8, "a datagram has a header");
    // One length field cannot count beyond this; such packets are as wrong as the link that asked for them.
    if (plain.size() <= 0xffff) Must(Load16(plain.data() + 4) == plain.size(), "a datagram is as long as it says");
    if (!segments_) return;
    const size_t l2tp = 8 + (member.call.sequencing ? 12u : 8u);
    size_t at = l2tp + (plain[l2tp] == 0xff ? 2 : 0);
    at += (plain[at] & 1) == 1 ? 1 : 2;
    plain.erase(plain.begin(), plain.begin() + static_cast<ptrdiff_t>(at));
  }
  if (!segments_) return;
  const ip::Packet packet = Parsed(plain.data(), plain.size(), "a segment is a packet");
  Must(packet.length == plain.size(), "a segment is as long as it says");
  Must(packet.fragmented || ChecksumHolds(packet), "a segment's checksum is right");
}

}  // namespace culvert::fuzz
