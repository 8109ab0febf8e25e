#include "routes.h"

#include <algorithm>
#include <functional>

#include "octets.h"

namespace culvert {

Routes::Key Routes::KeyOf(const Address& address, unsigned bits) {
  uint64_t high = Load64(address.octets);
  uint64_t low = Load64(address.octets + 8);
  if (bits <= 64) {
    low = 0;
    high = bits == 0 ? 0 : high & (~uint64_t{0} << (64 - bits));
  } else if (bits < 128) {
    low &= ~uint64_t{0} << (128 - bits);
  }
  return {high, low};
}

Route Routes::Find(const Address& destination) const {
  for (const uint8_t bits : destination.IsIpv4() ? lengths4_ : lengths6_) {
    const Route found = tables_[bits]->Find(KeyOf(destination, bits));
    if (!found.empty()) return found;
  }
  return {};
}

Route Routes::At(const Prefix& prefix) const {
  const auto& table = tables_[prefix.bits];
  return table == nullptr ? Route{} : table->Find(KeyOf(prefix.address, prefix.bits));
}

void Routes::Set(const Prefix& prefix, Route route) {
  auto& table = tables_[prefix.bits];
  if (table == nullptr) table = std::make_unique<Table>();
  auto& lengths = prefix.address.IsIpv4() ? lengths4_ : lengths6_;
  if (std::find(lengths.begin(), lengths.end(), prefix.bits) == lengths.end()) {
    lengths.insert(std::upper_bound(lengths.begin(), lengths.end(), prefix.bits, std::greater<>()), prefix.bits);
  }
  table->Set(KeyOf(prefix.address, prefix.bits), route);
}

void Routes::Erase(const Prefix& prefix) {
  auto& table = tables_[prefix.bits];
  if (table == nullptr) return;
  table->Erase(KeyOf(prefix.address, prefix.bits));
  if (table->size() > 0) return;
  table.reset();
  for (auto* lengths : {&lengths4_, &lengths6_}) std::erase(*lengths, prefix.bits);
}

}  // namespace culvert
