#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

namespace culvert::load {

/// Messages of one system call.
constexpr int kBatch = 64;
constexpr size_t kDatagramMax = 65536;

/// A socket address of either family, and what belongs to it.
struct Endpoint {
  sockaddr_storage storage{};
  socklen_t length = 0;

  /// An empty address stands for every address of `family`.
  static Endpoint of(const char *address, int port);
  static Endpoint any(int family, int port);
  const sockaddr *get() const { return reinterpret_cast<const sockaddr *>(&storage); }
};

/// A datagram socket with room for what comes while the other end has the processor.
int openSocket(int family);

/// CLOCK_MONOTONIC, the same in every namespace of one machine.
uint64_t monotonicNs();

/// What this process used of the processors.
double cpuSeconds();

/// A system call of ours that fails is the end of the measurement.
[[noreturn]] void fail(const char *what);

}  // namespace culvert::load
