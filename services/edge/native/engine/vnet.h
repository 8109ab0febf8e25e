// The header in front of every packet of a tun with IFF_VNET_HDR (virtio 1.2 §5.1.6), in the host's order.
#pragma once

#include <cstdint>

namespace culvert {

struct VnetHeader {
  uint8_t flags;
  uint8_t gsoType;
  uint16_t headerLength;
  uint16_t gsoSize;
  uint16_t checksumStart;
  uint16_t checksumOffset;
};
// TUNSETVNETHDRSZ.
constexpr int kVnetHeader = 10;
static_assert(sizeof(VnetHeader) == kVnetHeader);

constexpr uint8_t kVnetNeedsChecksum = 1;
constexpr uint8_t kVnetDataValid = 2;
constexpr uint8_t kGsoNone = 0;
constexpr uint8_t kGsoTcp4 = 1;
constexpr uint8_t kGsoTcp6 = 4;
constexpr uint8_t kGsoUdp = 5;
constexpr uint8_t kGsoEcn = 0x80;

}  // namespace culvert
