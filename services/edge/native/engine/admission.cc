#include "admission.h"

#include "octets.h"

namespace culvert {

bool Admission::Admit(const Address& remote, bool first, double at) {
  // An IPv4 address, or an IPv6 /64: who has one address of it has all. No global IPv6 prefix has 32
  // leading zero bits, so the two families cannot meet.
  const uint64_t key = remote.IsIpv4() ? Load32(remote.four()) : Load64(remote.octets);
  auto found = sources_.find(key);
  if (found == sources_.end()) {
    if (sources_.size() >= limits::kIkeSources) {
      sources_.erase(order_.front());
      order_.pop_front();
    }
    const Source fresh{TokenBucket::Full(limits::kIkeSource, at), TokenBucket::Full(limits::kIkeFirstSource, at)};
    found = sources_.emplace(key, fresh).first;
    order_.push_back(key);
  }
  if (!found->second.any.Take(limits::kIkeSource, at)) return false;
  if (!first) return true;
  // The shared bucket last: who is over its own limit shall not use up the others'.
  return found->second.first.Take(limits::kIkeFirstSource, at) && all_.Take(limits::kIkeFirst, at);
}

}  // namespace culvert
