#include "coalescer.h"

#include <cstring>

#include "flat_map.h"
#include "octets.h"

namespace culvert {
namespace {

constexpr uint8_t kPsh = 0x08;
constexpr uint8_t kAck = 0x10;
constexpr uint32_t kLongest = 65535;
constexpr size_t kTcpChecksum = 16;
constexpr size_t kUdpChecksum = 6;

}  // namespace

Coalescer::Coalescer(bool merge, bool udp)
    : merge_(merge), udp_(udp), buffers_(merge ? kSlots * kBuffer : 1) {}

// What merging needs to know of one packet.
struct Coalescer::Candidate {
  uint32_t header;
  uint32_t payload;
  uint32_t sequence;
  bool push;
};

// Only what the kernel's own GRO would merge: plain headers, data, no flags but ACK and PSH.
bool Coalescer::Judge(const ip::Packet& packet, Candidate& candidate) const {
  if (!merge_ || packet.fragmented || packet.upper != (packet.ipv4 ? ip::kIpv4Header : ip::kIpv6Header)) return false;
  const uint8_t* upper = packet.Upper();
  const uint32_t octets = packet.UpperOctets();
  if (packet.protocol == ip::kTcp && octets > 20) {
    const uint32_t header = (upper[12] >> 4) * 4u;
    if (header < 20 || header >= octets) return false;
    if ((upper[13] & ~(kPsh | kAck)) != 0 || (upper[13] & kAck) == 0 || (upper[12] & 0x0f) != 0) return false;
    candidate = {packet.upper + header, octets - header, Load32(upper + 4), (upper[13] & kPsh) != 0};
    return true;
  }
  if (packet.protocol == ip::kUdp && udp_ && octets > 8 && Load16(upper + 4) == octets && Load16(upper + 6) != 0) {
    candidate = {packet.upper + 8, octets - 8, 0, false};
    return true;
  }
  return false;
}

bool Coalescer::SameFlow(const Slot& slot, const ip::Packet& packet) {
  if (slot.protocol != packet.protocol || slot.ipv4 != packet.ipv4) return false;
  // Addresses and ports lie side by side where there are no options.
  return packet.ipv4 ? std::memcmp(slot.octets + 12, packet.octets + 12, 12) == 0
                     : std::memcmp(slot.octets + 8, packet.octets + 8, 36) == 0;
}

bool Coalescer::Follows(const Slot& slot, const ip::Packet& packet, const Candidate& candidate) {
  if (slot.closed || slot.count == kPackets || slot.header != candidate.header || candidate.payload > slot.segment ||
      slot.length + candidate.payload > kLongest) {
    return false;
  }
  const uint8_t* first = slot.octets;
  const uint8_t* next = packet.octets;
  if (packet.ipv4) {
    // TOS; TTL; Don't Fragment. RFC 6864: the Identification of what may not be fragmented means nothing,
    // else it must count up, for that is what segmentation makes of it.
    if (first[1] != next[1] || first[8] != next[8] || ((first[6] ^ next[6]) & 0x40) != 0) return false;
    const uint16_t expected = static_cast<uint16_t>(Load16(first + 4) + slot.count);
    if (!packet.dontFragment && Load16(next + 4) != expected) return false;
  } else if (std::memcmp(first, next, 4) != 0 || first[7] != next[7]) {
    return false;
  }
  if (packet.protocol == ip::kUdp) return true;
  const uint8_t* a = first + slot.upper;
  const uint8_t* b = next + packet.upper;
  // Sequence, acknowledgement, window, urgent pointer, options.
  return candidate.sequence == slot.nextSequence && std::memcmp(a + 8, b + 8, 4) == 0 &&
         std::memcmp(a + 14, b + 14, 2) == 0 && std::memcmp(a + 18, b + 18, candidate.header - packet.upper - 18) == 0;
}

// What the transport checksum covers beside the segment itself.
uint64_t Coalescer::Pseudo(const Slot& slot, const uint8_t* octets, uint32_t covered) {
  const size_t size = slot.ipv4 ? 4 : 16;
  const uint8_t* addresses = octets + (slot.ipv4 ? 12 : 8);
  return PseudoHeader(addresses, addresses + size, size, slot.protocol, covered);
}

// The checksum will be made anew, so a wrong one must not be made right by that: what it does not vouch for
// is not merged.
bool Coalescer::Merged(Slot& slot, const ip::Packet& packet, const Candidate& candidate) {
  if (!Follows(slot, packet, candidate)) return false;
  if (!slot.verified) {
    const uint32_t covered = slot.length - slot.upper;
    if (Folded(SumOf(slot.octets + slot.upper, covered, Pseudo(slot, slot.octets, covered))) != 0xffff) {
      slot.closed = true;
      return false;
    }
    slot.verified = true;
    uint8_t* buffer = BufferOf(slot);
    if (slot.octets != buffer) std::memcpy(buffer, slot.octets, slot.length);
    slot.octets = buffer;
  }
  const uint32_t covered = packet.length - packet.upper;
  const uint64_t headers = SumHeader(packet.octets + packet.upper, candidate.header - packet.upper,
                                 Pseudo(slot, packet.octets, covered));
  uint8_t* end = slot.octets + slot.length;
  const uint8_t* payload = packet.octets + candidate.header;
  const uint64_t sum = payload == end ? SumOf(payload, candidate.payload, headers)
                                      : SumCopy(end, payload, candidate.payload, headers);
  if (Folded(sum) != 0xffff) return false;
  slot.count++;
  slot.length += candidate.payload;
  slot.nextSequence += candidate.payload;
  if (candidate.push) slot.octets[slot.upper + 13] |= kPsh;
  if (candidate.push || candidate.payload < slot.segment) slot.closed = true;
  return true;
}

void Coalescer::Begin(const ip::Packet& packet, const Candidate& candidate, bool mergeable, bool priority,
                      size_t place) {
  Slot& slot = slots_[count_++];
  last_ = &slot;
  slot.octets = packet.octets;
  if (ahead_ != nullptr) {
    // It has not gone on there, and what it lies on is wanted back.
    slot.octets = BufferOf(slot);
    std::memcpy(slot.octets, packet.octets, packet.length);
  }
  slot.length = packet.length;
  slot.count = 1;
  slot.upper = packet.upper;
  slot.protocol = packet.protocol;
  slot.ipv4 = packet.ipv4;
  slot.verified = false;
  slot.priority = priority && merge_;
  slot.closed = !mergeable || candidate.push;
  slot.header = candidate.header;
  slot.segment = candidate.payload;
  slot.nextSequence = candidate.sequence + candidate.payload;
  // A later packet of the flow must not join an earlier slot, mergeable or not.
  index_[place] = static_cast<uint8_t>(count_);
}

uint8_t* Coalescer::Ahead(size_t front, size_t plainOctets) {
  const Slot* slot = last_;
  if (slot == nullptr || !slot->verified || slot->closed || full()) return nullptr;
  const size_t headers = front + slot->header;
  // The slot's own headers stay: they are compared with.
  if (headers > kAhead || slot->length < slot->header + headers || slot->length + plainOctets > kLongest) return nullptr;
  ahead_ = slot->octets + slot->length - headers;
  aheadOctets_ = headers;
  std::memcpy(overwritten_, ahead_, headers);
  return ahead_;
}

void Coalescer::Add(const ip::Packet& packet, bool priority) {
  Candidate candidate{};
  const bool mergeable = Judge(packet, candidate);
  // Most packets go on where the last one did.
  if (mergeable && last_ != nullptr && SameFlow(*last_, packet) && Merged(*last_, packet, candidate)) return;
  // Fragments and unknown protocols have no ports here: hashed by their addresses alone.
  const bool ported = packet.protocol == ip::kTcp || packet.protocol == ip::kUdp;
  const uint8_t* addresses = packet.octets + (packet.ipv4 ? 12 : 8);
  uint64_t key = Load64(addresses) ^ (packet.ipv4 ? 0 : Load64(addresses + 8) ^ Mixed(Load64(addresses + 16) ^ Load64(addresses + 24)));
  if (ported && packet.UpperOctets() >= 4) key ^= Mixed(Load32(packet.Upper()) + packet.protocol);
  const size_t place = Mixed(key) % kIndex;
  if (mergeable && index_[place] != 0) {
    Slot& slot = slots_[index_[place] - 1];
    if (&slot != last_ && SameFlow(slot, packet) && Merged(slot, packet, candidate)) {
      last_ = &slot;
      return;
    }
  }
  Begin(packet, candidate, mergeable, priority, place);
}

SuperPacket Coalescer::Finished(Slot& slot) {
  VnetHeader header{};
  uint8_t* octets = slot.octets;
  if (slot.count > 1) {
    const bool tcp = slot.protocol == ip::kTcp;
    const uint32_t covered = slot.length - slot.upper;
    if (slot.ipv4) {
      Store16(octets + 2, static_cast<uint16_t>(slot.length));
      octets[10] = octets[11] = 0;
      StoreChecksum(octets + 10, SumHeader(octets, ip::kIpv4Header));
    } else {
      Store16(octets + 4, static_cast<uint16_t>(slot.length - ip::kIpv6Header));
    }
    if (!tcp) Store16(octets + slot.upper + 4, static_cast<uint16_t>(covered));
    // What CHECKSUM_PARTIAL wants: the pseudo-header's sum, not complemented.
    const uint16_t sum = Folded(Pseudo(slot, octets, covered));
    const size_t checksum = tcp ? kTcpChecksum : kUdpChecksum;
    std::memcpy(octets + slot.upper + checksum, &sum, sizeof sum);
    header.flags = kVnetNeedsChecksum;
    header.gsoType = !tcp ? kGsoUdp : (slot.ipv4 ? kGsoTcp4 : kGsoTcp6);
    header.headerLength = static_cast<uint16_t>(slot.header);
    header.gsoSize = static_cast<uint16_t>(slot.segment);
    header.checksumStart = static_cast<uint16_t>(slot.upper);
    header.checksumOffset = static_cast<uint16_t>(checksum);
  } else if (slot.verified) {
    header.flags = kVnetDataValid;
  }
  std::memcpy(octets - kVnetHeader, &header, sizeof header);
  return {octets - kVnetHeader, slot.length + kVnetHeader, slot.count};
}

void Coalescer::Clear() {
  count_ = 0;
  last_ = nullptr;
  ahead_ = nullptr;
  std::memset(index_, 0, sizeof index_);
}

}  // namespace culvert
