// Joins packets of one flow into super-packets on their way to the tun, as the kernel's GRO would have done:
// one write for up to 64 KiB. A packet that finds no company stays where it was decrypted; of others the
// payload is decrypted right behind that of the one before, or copied there in the pass that sums it.
// (Parts that stay in place and one writev for all of them cost the kernel more than the copy costs us.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "ip.h"
#include "pages.h"
#include "vnet.h"

namespace culvert {

// From its virtio header on.
struct SuperPacket {
  const uint8_t* octets;
  size_t length;
  // Packets in it.
  uint32_t packets;
};

class Coalescer {
 public:
  // `merge` false: every packet alone. `udp`: the tun takes UDP super-packets (USO).
  Coalescer(bool merge, bool udp);

  // The packet's memory stays valid until `Clear`, has kVnetHeader free octets in front, and may be changed.
  // Call only when not `full`. What nobody merges is not put in another order either.
  void Add(const ip::Packet& packet, bool priority);
  // Where a packet's plaintext is to lie, `front` octets of other headers before it, so that its payload is
  // right behind that of the packet before: if it goes on with the same flow, nothing has to be copied. Null
  // when there is no such place. `Settle` brings back what its headers overwrite; until then one packet may be
  // added, the one that lies there.
  uint8_t* Ahead(size_t front, size_t plainOctets);
  void Settle() {
    if (ahead_ == nullptr) return;
    std::memcpy(ahead_, overwritten_, aheadOctets_);
    ahead_ = nullptr;
  }
  bool full() const { return count_ == kSlots; }
  bool empty() const { return count_ == 0; }

  // Calls visit(SuperPacket), priority first, else in the order in which they began: packets of one flow
  // keep theirs.
  template <typename Visit>
  void Finish(Visit visit) {
    for (size_t i = 0; i < count_; i++) {
      if (slots_[i].priority) visit(Finished(slots_[i]));
    }
    for (size_t i = 0; i < count_; i++) {
      if (!slots_[i].priority) visit(Finished(slots_[i]));
    }
  }
  void Clear();

 private:
  static constexpr size_t kSlots = 64;
  // What the kernel takes apart again (UDP_MAX_SEGMENTS).
  static constexpr uint32_t kPackets = 128;
  // Its longest packet behind the tun's header, on cache lines of its own.
  static constexpr size_t kBuffer = 65536 + 128;
  static constexpr size_t kIndex = 256;
  // Where a packet begins in its slot's buffer: the tun's header fits in front.
  static constexpr size_t kFront = 64;
  // The longest headers of a packet that may lie ahead.
  static constexpr size_t kAhead = 128;

  struct Slot {
    uint8_t* octets;  // the first packet, in place or in the slot's buffer
    uint32_t length;
    uint32_t count;
    uint32_t header;  // IP and transport headers
    uint32_t upper;
    uint32_t segment;
    uint32_t nextSequence;
    uint8_t protocol;
    bool ipv4;
    bool closed;
    bool verified;
    bool priority;
  };
  struct Candidate;

  bool Judge(const ip::Packet& packet, Candidate& candidate) const;
  static bool SameFlow(const Slot& slot, const ip::Packet& packet);
  static bool Follows(const Slot& slot, const ip::Packet& packet, const Candidate& candidate);
  static uint64_t Pseudo(const Slot& slot, const uint8_t* octets, uint32_t covered);
  bool Merged(Slot& slot, const ip::Packet& packet, const Candidate& candidate);
  void Begin(const ip::Packet& packet, const Candidate& candidate, bool mergeable, bool priority, size_t place);
  uint8_t* BufferOf(const Slot& slot) const {
    return buffers_.get() + static_cast<size_t>(&slot - slots_) * kBuffer + kFront;
  }
  SuperPacket Finished(Slot& slot);

  const bool merge_;
  const bool udp_;
  size_t count_ = 0;
  Slot* last_ = nullptr;
  Slot slots_[kSlots];
  Pages buffers_;
  uint8_t* ahead_ = nullptr;
  size_t aheadOctets_ = 0;
  uint8_t overwritten_[kAhead];
  uint8_t index_[kIndex] = {};
};

}  // namespace culvert
