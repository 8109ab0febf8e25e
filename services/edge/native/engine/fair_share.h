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
  // False: the session has had its share of this round. Every packet counts, so that demand is known.
  bool Admit(Session& session, size_t octets, size_t packets = 1) {
    const double cost = static_cast<double>(octets + packets * kPacketCost);
    if (session.shareRound != round_) {
      session.shareRound = round_;
      session.share = 0;
      sessions_++;
    }
    session.share += cost;
    if (pressed_ && session.share > share_) return false;
    done_ += cost;
    return true;
  }

  // To be told of every turn: whether there was more to do than the turn could.
  void Turn(double at, bool backlog) {
    if (!backlog) idleAt_ = at;
    if (at - beganAt_ < kRoundMs) return;
    const bool late = at - idleAt_ >= kPatienceMs;
    if (!pressed_) {
      // As if all had asked for the same: too little for those who ask for more, and it grows from there.
      pressed_ = late;
      share_ = done_ / std::max(1u, sessions_);
    } else {
      // Less while there is a backlog, more when there was none: the share settles where the work just fits,
      // and the matter is over when nobody asks for so much.
      share_ *= idleAt_ < beganAt_ ? kLess : kMore;
      pressed_ = late || share_ <= done_;
    }
    beganAt_ = at;
    round_++;
    sessions_ = 0;
    done_ = 0;
  }

  bool pressed() const { return pressed_; }

 private:
  // What a packet costs beside its octets, in octets: about as long as a cipher takes for so many.
  static constexpr size_t kPacketCost = 500;
  static constexpr double kRoundMs = 10;
  // A backlog that lasts so long is no burst.
  static constexpr double kPatienceMs = 50;
  static constexpr double kLess = 0.9;
  static constexpr double kMore = 1.1;

  double idleAt_ = 0;
  double beganAt_ = 0;
  double share_ = 0;
  double done_ = 0;
  uint32_t sessions_ = 0;
  uint32_t round_ = 1;
  bool pressed_ = false;
};

}  // namespace culvert
