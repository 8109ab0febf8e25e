#include "send.h"

#include <netinet/udp.h>
#include <sys/prctl.h>
#include <time.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "endpoint.h"

namespace culvert::load {
namespace {

/// The last datagram of a burst is shorter, and so ends it for everybody who merges datagrams of equal size:
/// bursts of one address stay as they were sent, just as those of many addresses do.
constexpr int kShorter = 64;

uint64_t deadline(double seconds) { return monotonicNs() + static_cast<uint64_t>(seconds * 1e9); }

void print(uint64_t packets, uint64_t octets) {
  printf("{\"packets\":%lu,\"octets\":%lu,\"cpuSeconds\":%.4f}\n", packets, octets, cpuSeconds());
}

/// The queue of the device is full, or an address has no session yet: the datagram is lost, the load goes on.
bool transient(int error) { return error == ENOBUFS || error == EAGAIN || error == ENOMEM; }

/// Lets through what is due, evenly: whoever was kept from the processor catches up.
class Pace {
 public:
  explicit Pace(double perSecond)
      : due_(monotonicNs()), interval_(perSecond > 0 ? static_cast<uint64_t>(1e9 / perSecond) : 0) {
    // The kernel may wake a sleeper this late, in nanoseconds.
    prctl(PR_SET_TIMERSLACK, 1);
  }

  /// Waits for the next turn; answers the time.
  uint64_t wait() {
    uint64_t now = monotonicNs();
    if (interval_ == 0) return now;
    if (now < due_) {
      timespec wake{static_cast<time_t>(due_ / 1'000'000'000), static_cast<long>(due_ % 1'000'000'000)};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, nullptr);
      now = monotonicNs();
    }
    due_ += interval_;
    return now;
  }

 private:
  uint64_t due_, interval_;
};

int connected(const Sending &sending) {
  Endpoint to = Endpoint::of(sending.destination, sending.port);
  int fd = openSocket(to.storage.ss_family);
  if (connect(fd, to.get(), to.length)) fail("connect");
  return fd;
}

}  // namespace

void sendFlood(const Sending &sending) {
  int fd = connected(sending);
  std::vector<uint8_t> payload(static_cast<size_t>(sending.octets));
  iovec piece{payload.data(), payload.size()};
  mmsghdr messages[kBatch]{};
  for (auto &message : messages) {
    message.msg_hdr.msg_iov = &piece;
    message.msg_hdr.msg_iovlen = 1;
  }
  uint64_t packets = 0;
  for (uint64_t end = deadline(sending.seconds); monotonicNs() < end;) {
    int sent = sendmmsg(fd, messages, kBatch, 0);
    if (sent > 0) packets += static_cast<uint64_t>(sent);
    else if (!transient(errno)) fail("sendmmsg");
  }
  print(packets, packets * payload.size());
}

void sendSpread(const Sending &sending, const Spreading &spreading) {
  Endpoint to = Endpoint::of(sending.destination, sending.port);
  Endpoint from = Endpoint::of(spreading.source, 0);
  if (to.storage.ss_family != AF_INET || from.storage.ss_family != AF_INET) fail("an IPv4 address is wanted");
  int fd = openSocket(AF_INET);
  int segment = sending.octets;
  if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment)) fail("UDP_SEGMENT");
  std::vector<uint8_t> payload(static_cast<size_t>(sending.octets * spreading.burst - kShorter));
  iovec piece{payload.data(), payload.size()};
  alignas(cmsghdr) uint8_t control[CMSG_SPACE(sizeof(in_pktinfo))]{};
  auto *target = reinterpret_cast<sockaddr_in *>(&to.storage);
  msghdr message{};
  message.msg_name = target;
  message.msg_namelen = sizeof *target;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_IP;
  header->cmsg_type = IP_PKTINFO;
  header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
  uint32_t firstTarget = ntohl(target->sin_addr.s_addr);
  uint32_t firstSource = ntohl(reinterpret_cast<sockaddr_in *>(&from.storage)->sin_addr.s_addr);
  uint64_t bursts = 0;
  uint32_t turn = 0;
  Pace pace(spreading.perSecond);
  for (uint64_t end = deadline(sending.seconds); pace.wait() < end;) {
    target->sin_addr.s_addr = htonl(firstTarget + turn);
    in_pktinfo info{};
    info.ipi_spec_dst.s_addr = htonl(firstSource + turn);
    memcpy(CMSG_DATA(header), &info, sizeof info);
    if (sendmsg(fd, &message, 0) > 0) bursts += 1;
    else if (!transient(errno)) fail("sendmsg");
    turn = turn + 1 == static_cast<uint32_t>(spreading.addresses) ? 0 : turn + 1;
  }
  print(bursts * static_cast<uint64_t>(spreading.burst), bursts * payload.size());
}

void sendPaced(const Sending &sending, double perSecond) {
  int fd = connected(sending);
  std::vector<uint8_t> payload(static_cast<size_t>(sending.octets));
  uint64_t packets = 0;
  Pace pace(perSecond);
  uint64_t end = deadline(sending.seconds);
  for (uint64_t now = pace.wait(); now < end; now = pace.wait()) {
    memcpy(payload.data(), &now, sizeof now);
    if (send(fd, payload.data(), payload.size(), 0) > 0) packets += 1;
    else if (!transient(errno)) fail("send");
  }
  print(packets, packets * payload.size());
}

}  // namespace culvert::load
