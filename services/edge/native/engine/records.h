// What the engine has to say to JavaScript, as records in one buffer that is read and emptied at once.
// native/engine/records.ts reads them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "octets.h"
#include "rows.h"

namespace culvert {

enum class RecordKind : uint8_t {
  kIke = 1,
  kL2tp,
  kPpp,
  kSequenceWanted,
  kEndpointMoved,
  kEntryRefused,
  kIcvTruncated,
  // Packets, where the engine has no sockets (tests, the simulator).
  kOuter,
  kInner,
};

class Records {
 public:
  // A record is its length (32 bits, without itself), its kind, and its fields.
  void Begin(RecordKind kind) {
    begun_ = octets_.size();
    octets_.resize(begun_ + 4);
    U8(static_cast<uint8_t>(kind));
  }
  void U8(uint8_t value) { octets_.push_back(value); }
  void U16(uint16_t value) { Store16(Grown(2), value); }
  void U32(uint32_t value) { Store32(Grown(4), value); }
  void U64(uint64_t value) { Store64(Grown(8), value); }
  void Octets(const uint8_t* at, size_t length) {
    U32(static_cast<uint32_t>(length));
    if (length > 0) std::memcpy(Grown(length), at, length);
  }
  void Text(const std::string& text) { Octets(reinterpret_cast<const uint8_t*>(text.data()), text.size()); }
  void Path(const Flow& flow) {
    std::memcpy(Grown(16), flow.local.octets, 16);
    U16(flow.localPort);
    std::memcpy(Grown(16), flow.remote.octets, 16);
    U16(flow.remotePort);
  }
  void End() { Store32(octets_.data() + begun_, static_cast<uint32_t>(octets_.size() - begun_ - 4)); }

  bool empty() const { return octets_.empty(); }
  // Packets are dropped beyond this, as a network would; events are not.
  bool full() const { return octets_.size() > kFull; }
  const std::vector<uint8_t>& octets() const { return octets_; }
  void Clear() {
    octets_.clear();
    if (octets_.capacity() > kFull) octets_.shrink_to_fit();
  }

 private:
  static constexpr size_t kFull = 1 << 20;
  uint8_t* Grown(size_t by) {
    octets_.resize(octets_.size() + by);
    return octets_.data() + octets_.size() - by;
  }
  std::vector<uint8_t> octets_;
  size_t begun_ = 0;
};

}  // namespace culvert
