// What keeps a flood of IKE from the bus (pipeline/ike-admission.ts).
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>

#include "limits.h"
#include "rows.h"

namespace culvert {

class Admission {
 public:
  // `first`: the message has no responder cookie.
  bool Admit(const Address& remote, bool first, double at);

 private:
  struct Source {
    TokenBucket any;
    TokenBucket first;
  };
  std::unordered_map<uint64_t, Source> sources_;
  // In the order in which they were first seen.
  std::deque<uint64_t> order_;
  TokenBucket all_ = TokenBucket::Full(limits::kIkeFirst, 0);
};

}  // namespace culvert
