// One worker's I/O around an engine: 1 wait, 2 packets of neighbours, 3 from outside, 4 from the tun, 5 send
// what they became. It leaves to JavaScript only for control packets, commands and an end.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "engine.h"
#include "pages.h"
#include "queues.h"
#include "ring.h"

namespace culvert {

struct SocketSpec {
  int fd;
  Via via;
  uint8_t listener;
  bool ipv6;
  Address local;
  uint16_t port;
  // Bound to every address: which one was dialled comes with each packet.
  bool every;
};

struct LoopOptions {
  uint32_t index;
  uint32_t workers;
  int tun;
  int event;
  std::vector<SocketSpec> sockets;
  // To and from each worker, by index; null at our own.
  std::vector<std::unique_ptr<Ring>> to;
  std::vector<std::unique_ptr<Ring>> from;
  std::vector<int> events;
  // Milliseconds since the epoch at CLOCK_MONOTONIC zero: all threads tell the same time.
  double epochMs;
};

class Loop : public Outlet {
 public:
  explicit Loop(LoopOptions options);

  // The engine is made with this outlet, hence later.
  void Drive(Engine& engine) { engine_ = &engine; }

  // Returns when JavaScript is needed or `maxMs` have passed; true: somebody has posted a command.
  bool Run(double maxMs);
  // A datagram as it is (IKE).
  void Send(const Flow& flow, const uint8_t* octets, size_t length);
  double Now() const;

  void ToTun(const SuperPacket& packet) override;
  void ToPeers(const std::vector<Group>& groups) override;

 private:
  struct Outgoing;

  void FromNeighbours(double at);
  // Both answer whether there may be more.
  bool FromOutside(SocketSpec& spec, double at);
  bool FromTun(double at);
  void HandOverEsp(uint32_t worker, const OuterPacket& packet);
  void HandOverInner(uint32_t worker, const uint8_t* vnet, size_t octets);
  void WakeNeighbours();
  void Periodically(double at);
  void Share(double at);
  const SocketSpec* SocketFor(const Flow& flow, bool udp);
  void Transmit(int fd, Outgoing* messages, size_t count);
  void TransmitOneByOne(int fd, const Outgoing& message);
  void AskPath(const Flow& flow);

  LoopOptions options_;
  Engine* engine_ = nullptr;
  // What is received, and behind it what is read from the tun.
  Pages received_;
  uint8_t* read_;
  std::vector<bool> wake_;
  // Messages of one recvmmsg: few where each is a super-packet, for they shall stay in the cache.
  unsigned messages_;
  Queues queues_;
  double tickedAt_ = 0;
  // The present round of fair shares: when it began, whether a turn of it left packets behind, and what the
  // queues had dropped before.
  double askedPathAt_ = 0;
  double roundAt_ = 0;
  bool backlog_ = false;
  uint64_t dropped_ = 0;
  uint64_t packets_ = 0;
  const SocketSpec* lastSocket_ = nullptr;
};

}  // namespace culvert
