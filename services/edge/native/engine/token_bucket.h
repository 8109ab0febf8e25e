// The arithmetic of pipeline/token-bucket.ts in the same doubles, so that both engines decide alike.
#pragma once

#include <algorithm>

namespace culvert {

struct Rate {
  double perSecond;
  double burst;
};

struct TokenBucket {
  double tokens = 0;
  double filledAt = 0;

  static TokenBucket Full(const Rate& rate, double at) { return {rate.burst, at}; }

  // Takes `amount` tokens if they are there. A clock that goes back fills nothing.
  bool Take(const Rate& rate, double at, double amount = 1) {
    const double passed = std::max(0.0, at - filledAt);
    tokens = std::min(rate.burst, tokens + (passed * rate.perSecond) / 1000);
    filledAt = at;
    if (tokens < amount) return false;
    tokens -= amount;
    return true;
  }
};

}  // namespace culvert
