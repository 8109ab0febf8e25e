#include "receive.h"

#include <netinet/udp.h>
#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

#include "endpoint.h"

namespace culvert::load {
namespace {

constexpr uint64_t kSilenceNs = 500'000'000;
constexpr int kPollMs = 50;

int bound(int family, int port) {
  Endpoint at = Endpoint::any(family, port);
  int fd = openSocket(family);
  if (bind(fd, at.get(), at.length)) fail("bind");
  return fd;
}

/// Says that datagrams may come now.
void ready() {
  printf("{\"ready\":true}\n");
  fflush(stdout);
}

/// Messages with room for their payload and one control message.
struct Inbox {
  std::vector<uint8_t> payload = std::vector<uint8_t>(kBatch * kDatagramMax);
  mmsghdr messages[kBatch]{};
  iovec pieces[kBatch];
  alignas(cmsghdr) uint8_t control[kBatch][CMSG_SPACE(sizeof(int))];

  int receive(int fd) {
    for (size_t i = 0; i < kBatch; i++) {
      pieces[i] = {payload.data() + i * kDatagramMax, kDatagramMax};
      msghdr &header = messages[i].msg_hdr;
      header.msg_iov = &pieces[i];
      header.msg_iovlen = 1;
      header.msg_control = control[i];
      header.msg_controllen = sizeof control[i];
    }
    return recvmmsg(fd, messages, kBatch, MSG_DONTWAIT, nullptr);
  }

  /// How many datagrams the kernel put into this message.
  uint64_t datagrams(int index) {
    msghdr *header = &messages[index].msg_hdr;
    for (cmsghdr *one = CMSG_FIRSTHDR(header); one != nullptr; one = CMSG_NXTHDR(header, one)) {
      if (one->cmsg_level != SOL_UDP || one->cmsg_type != UDP_GRO) continue;
      int segment;
      memcpy(&segment, CMSG_DATA(one), sizeof segment);
      if (segment > 0) return (messages[index].msg_len + static_cast<unsigned>(segment) - 1) / static_cast<unsigned>(segment);
    }
    return 1;
  }
};

struct Span {
  uint64_t first = 0, last = 0;
  double seconds() const { return static_cast<double>(last - first) * 1e-9; }
};

/// Calls `take` with each batch until it is over; the answer is the time from the first to the last of them.
template <typename Take>
Span drain(int fd, double seconds, Inbox &inbox, Take take) {
  Span span;
  uint64_t started = monotonicNs();
  uint64_t patience = static_cast<uint64_t>(seconds * 1e9);
  for (;;) {
    uint64_t now = monotonicNs();
    if (span.last == 0 ? now - started > patience : now - span.last > kSilenceNs) return span;
    pollfd readable{fd, POLLIN, 0};
    if (poll(&readable, 1, kPollMs) <= 0) continue;
    int many = inbox.receive(fd);
    if (many <= 0) continue;
    span.last = monotonicNs();
    if (span.first == 0) span.first = span.last;
    take(many, span.last);
  }
}

double microseconds(const std::vector<uint64_t> &sorted, double part) {
  if (sorted.empty()) return 0;
  return static_cast<double>(sorted[static_cast<size_t>(static_cast<double>(sorted.size() - 1) * part)]) * 1e-3;
}

}  // namespace

void receiveCount(int family, int port, double seconds, bool merged) {
  int fd = bound(family, port);
  int on = merged ? 1 : 0;
  if (setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on)) fail("UDP_GRO");
  Inbox inbox;
  ready();
  uint64_t packets = 0, octets = 0;
  Span span = drain(fd, seconds, inbox, [&](int many, uint64_t) {
    for (int i = 0; i < many; i++) {
      packets += inbox.datagrams(i);
      octets += inbox.messages[i].msg_len;
    }
  });
  printf("{\"packets\":%lu,\"octets\":%lu,\"seconds\":%.4f,\"cpuSeconds\":%.4f}\n", packets, octets,
         span.seconds(), cpuSeconds());
}

void receiveDelays(int family, int port, double seconds) {
  int fd = bound(family, port);
  Inbox inbox;
  ready();
  std::vector<uint64_t> delays;
  Span span = drain(fd, seconds, inbox, [&](int many, uint64_t now) {
    for (int i = 0; i < many; i++) {
      uint64_t sent;
      memcpy(&sent, inbox.pieces[i].iov_base, sizeof sent);
      delays.push_back(now - std::min(now, sent));
    }
  });
  std::sort(delays.begin(), delays.end());
  printf("{\"packets\":%zu,\"seconds\":%.4f,\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f,\"cpuSeconds\":%.4f}\n",
         delays.size(), span.seconds(), microseconds(delays, 0.5), microseconds(delays, 0.99),
         microseconds(delays, 1), cpuSeconds());
}

}  // namespace culvert::load
