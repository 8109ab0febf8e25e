#include "endpoint.h"

#include <sys/resource.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace culvert::load {

Endpoint Endpoint::of(const char *address, int port) {
  Endpoint endpoint = any(strchr(address, ':') == nullptr ? AF_INET : AF_INET6, port);
  void *at = endpoint.storage.ss_family == AF_INET
                 ? static_cast<void *>(&reinterpret_cast<sockaddr_in *>(&endpoint.storage)->sin_addr)
                 : static_cast<void *>(&reinterpret_cast<sockaddr_in6 *>(&endpoint.storage)->sin6_addr);
  if (inet_pton(endpoint.storage.ss_family, address, at) != 1) fail(address);
  return endpoint;
}

Endpoint Endpoint::any(int family, int port) {
  Endpoint endpoint;
  endpoint.storage.ss_family = static_cast<sa_family_t>(family);
  // The port stands at the same place in both families.
  reinterpret_cast<sockaddr_in *>(&endpoint.storage)->sin_port = htons(static_cast<uint16_t>(port));
  endpoint.length = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  return endpoint;
}

int openSocket(int family) {
  int fd = socket(family, SOCK_DGRAM, 0);
  if (fd < 0) fail("socket");
  int octets = 8 << 20;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets)) fail("SO_RCVBUFFORCE");
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &octets, sizeof octets)) fail("SO_SNDBUFFORCE");
  return fd;
}

uint64_t monotonicNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

double cpuSeconds() {
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  auto seconds = [](const timeval &time) { return static_cast<double>(time.tv_sec) + time.tv_usec * 1e-6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void fail(const char *what) {
  perror(what);
  exit(1);
}

}  // namespace culvert::load
