// Fuzz target: sessions that ask a worker for whatever they like, round after round, and what it can do.
#include "../engine/fair_share.h"

#include <vector>

#include "input.h"

using culvert::FairShare;
using culvert::Session;
using culvert::fuzz::Input;
using culvert::fuzz::Must;

namespace {

constexpr size_t kPacket = 1500;
constexpr size_t kPacketCost = 500;
constexpr double kCost = kPacket + kPacketCost;
constexpr double kLeast = 16384;
constexpr int kRounds = 100;
// From the least share to the largest demand at 5 % a round.
constexpr int kRecovery = 200;

// Packets of one size, in turns, as they come out of a queue.
class Worker {
 public:
  Worker(size_t sessions, double capacity) : capacity_(capacity), sessions_(sessions), demands_(sessions) {}

  void Round() {
    std::vector<size_t> left = demands_;
    double admitted = 0;
    for (bool more = true; more;) {
      more = false;
      for (size_t i = 0; i < sessions_.size(); i++) {
        if (left[i] == 0) continue;
        left[i]--;
        more = true;
        const bool pressed = share_.pressed();
        if (share_.Admit(sessions_[i], kPacket)) {
          admitted += kCost;
          continue;
        }
        Must(pressed, "nobody gives way where there is room");
        const double asked = static_cast<double>(demands_[i] - left[i]) * kCost;
        Must(asked > kLeast, "a burst of a window is let through");
        Must(asked > 0.9 * capacity_ / static_cast<double>(sessions_.size()),
             "who asks for less than its share loses nothing");
      }
    }
    share_.Turn(admitted > capacity_);
  }

  bool Fits() const {
    double all = 0;
    for (size_t demand : demands_) all += static_cast<double>(demand) * kCost;
    return all <= capacity_;
  }
  size_t& demand(size_t i) { return demands_[i]; }
  bool pressed() const { return share_.pressed(); }

 private:
  const double capacity_;
  FairShare share_;
  std::vector<Session> sessions_;
  std::vector<size_t> demands_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* octets, size_t size) {
  Input input(octets, size);
  const size_t sessions = input.U8() % 8u + 1;
  Worker worker(sessions, (input.U8() + 20u) * kCost);
  for (int round = 0; round < kRounds && !input.done(); round++) {
    for (size_t i = 0; i < sessions; i++) worker.demand(i) = input.U8();
    worker.Round();
  }
  // Load goes, and pressure with it.
  while (!worker.Fits()) {
    for (size_t i = 0; i < sessions; i++) worker.demand(i) /= 2;
  }
  for (int round = 0; round < kRecovery; round++) worker.Round();
  Must(!worker.pressed(), "pressure ends when load ends");
  return 0;
}
