#include "queues.h"

#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace culvert {

Queues::Queues(int tun, std::vector<int> sockets) : sockets_(std::move(sockets)) {
  ifreq request{};
  if (ioctl(tun, TUNGETIFF, &request) != 0) return;
  netlink_ = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (netlink_ < 0) return;
  if (ioctl(netlink_, SIOCGIFINDEX, &request) != 0) {
    close(netlink_);
    netlink_ = -1;
    return;
  }
  interface_ = request.ifr_ifindex;
}

Queues::~Queues() {
  if (netlink_ >= 0) close(netlink_);
}

uint64_t Queues::Waiting() const {
  uint64_t waiting = 0;
  for (const int fd : sockets_) {
    uint32_t memory[SK_MEMINFO_VARS] = {};
    socklen_t length = sizeof memory;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length) == 0) waiting += memory[SK_MEMINFO_RMEM_ALLOC];
  }
  return waiting;
}

uint64_t Queues::Dropped() {
  uint64_t dropped = DroppedByTun();
  for (const int fd : sockets_) {
    uint32_t memory[SK_MEMINFO_VARS] = {};
    socklen_t length = sizeof memory;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length) == 0) dropped += memory[SK_MEMINFO_DROPS];
  }
  return dropped;
}

// RTM_GETSTATS: the device's transmit side is what comes to us.
uint64_t Queues::DroppedByTun() {
  if (netlink_ < 0) return 0;
  struct {
    nlmsghdr header;
    if_stats_msg stats;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETSTATS;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.stats.ifindex = static_cast<uint32_t>(interface_);
  request.stats.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
  if (send(netlink_, &request, sizeof request, 0) < 0) return 0;
  alignas(nlmsghdr) char answer[1024];
  const ssize_t length = recv(netlink_, answer, sizeof answer, 0);
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
  if (length < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(if_stats_msg))) || header->nlmsg_type != RTM_NEWSTATS) return 0;
  const char* at = answer + NLMSG_LENGTH(sizeof(if_stats_msg));
  const auto* attribute = reinterpret_cast<const rtattr*>(at);
  rtnl_link_stats64 stats;
  if (at + RTA_LENGTH(sizeof stats) > answer + length || attribute->rta_type != IFLA_STATS_LINK_64) return 0;
  std::memcpy(&stats, RTA_DATA(attribute), sizeof stats);
  return stats.tx_dropped;
}

}  // namespace culvert
