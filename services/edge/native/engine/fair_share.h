// Who gives way when a worker cannot keep up. Packets are read faster than they are opened or sealed, so what
// is too much can be dropped early, from those sessions that ask for most (approximate fair dropping: Pan,
// Breslau, Prabhakar, Shenker, 2003). A session that asks for less than its share loses nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "rows.h"

namespace culvert {

class FairShare {
 public:
  static constexpr double kRoundMs = 10;

  // False: the session has had its share of this round. Every packet counts, so that demand is known.
  bool Admit(Session& session, size_t octets, size_t packets = 1) {
    const double cost = static_cast<double>(octets + packets * kPacketCost);
    if (session.shareRound != round_) {
      session.shareRound = round_;
      session.share = 0;
      sessions_++;
    }
    session.share += cost;
    if (pressed_ && session.share > share_) {
      denied_ = true;
      return false;
    }
    done_ += cost;
    return true;
  }

  // A round is over. `lost`: queues in front of this worker overflowed, so that there was more than it can do.
  void Turn(bool lost) {
    if (!pressed_) {
      // Alone, a session only takes from itself: the queue drops as well as we do.
      pressed_ = lost && sessions_ > 1;
      // As if all had asked for the same: too little for those who ask for more, and it grows from there.
      if (pressed_) share_ = done_ / sessions_;
    } else {
      // The share settles where the work just fits. When nobody asks for more and nothing is lost, it is over.
      share_ *= lost ? kLess : kMore;
      pressed_ = lost || denied_;
    }
    share_ = std::max(share_, kLeast);
    round_++;
    sessions_ = 0;
    done_ = 0;
    denied_ = false;
  }

  bool pressed() const { return pressed_; }

 private:
  // What a packet costs beside its octets, in octets: about as long as a cipher takes for so many.
  static constexpr size_t kPacketCost = 500;
  static constexpr double kLess = 0.9;
  static constexpr double kMore = 1.05;
  // One super-packet a round is always let through, which is some 70 Mbit/s: among so many sessions that a
  // share would be less, each has its bursts in rounds of its own, and the queues drop fairly enough.
  static constexpr double kLeast = 98304;

  double share_ = 0;
  double done_ = 0;
  uint32_t sessions_ = 0;
  uint32_t round_ = 1;
  bool pressed_ = false;
  bool denied_ = false;
};

}  // namespace culvert
