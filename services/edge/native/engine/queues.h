// The queues in front of a worker: how much waits in its sockets, and what they and the tun had to drop.
#pragma once

#include <cstdint>
#include <vector>

namespace culvert {

class Queues {
 public:
  Queues(int tun, std::vector<int> sockets);
  ~Queues();
  Queues(const Queues&) = delete;
  Queues& operator=(const Queues&) = delete;

  // Octets that wait in the sockets.
  uint64_t Waiting() const;
  // Packets dropped since they were opened. The device counts for all of its queues together.
  uint64_t Dropped();

 private:
  uint64_t DroppedByTun();

  std::vector<int> sockets_;
  // rtnetlink; negative where the device cannot be asked.
  int netlink_ = -1;
  int interface_ = 0;
};

}  // namespace culvert
