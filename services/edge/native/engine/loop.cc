#include "loop.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "datagrams.h"
#include "octets.h"
#include "system_calls.h"

namespace culvert {
namespace {

constexpr double kTickMs = 250;
// Packets of the tun per turn, and super-packets among them: as much as stays in the cache until it is sent.
constexpr int kTunPackets = 64;
constexpr int kTunSuperPackets = 4;
constexpr ssize_t kSuperPacket = 4096;
constexpr size_t kPacket = 65536;
// In front of a packet that is read from the tun.
constexpr size_t kFront = 64;
// An event counts commands in its low half, packets of neighbours in its high half.
constexpr uint64_t kNeighbour = uint64_t{1} << 32;
constexpr int kNeighbourRecords = 256;

enum Handed : uint8_t { kInner, kEspInUdp, kEsp };
struct HandedHeader {
  uint8_t kind;
  uint8_t listener;
  uint8_t tos;
  uint8_t spare[5];
  Flow flow;
};

uint64_t Nanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

std::vector<int> DescriptorsOf(const std::vector<SocketSpec>& sockets) {
  std::vector<int> descriptors;
  for (const SocketSpec& spec : sockets) descriptors.push_back(spec.fd);
  return descriptors;
}

}  // namespace

Loop::Loop(LoopOptions options)
    : options_(std::move(options)),
      received_(Datagrams::kOctets + kFront + kPacket),
      read_(received_.get() + Datagrams::kOctets),
      wake_(options_.workers),
      messages_(Datagrams::kMost),
      queues_(options_.tun, DescriptorsOf(options_.sockets)),
      dropped_(queues_.Dropped()) {}

double Loop::Now() const {
  // Whole milliseconds, as everywhere.
  return options_.epochMs + static_cast<double>(Nanoseconds() / 1000000u);
}

bool Loop::Run(double maxMs) {
  Account& account = engine_->account();
  const double until = Now() + maxMs;
  uint64_t idleSince = Nanoseconds();
  for (;;) {
    // What a command has made waits for nobody.
    engine_->Flush();
    if (!engine_->records().empty()) return false;
    pollfd polled[2 + 64];
    const size_t count = 2 + options_.sockets.size();
    polled[0] = {options_.event, POLLIN, 0};
    polled[1] = {options_.tun, POLLIN, 0};
    for (size_t i = 0; i < options_.sockets.size(); i++) polled[2 + i] = {options_.sockets[i].fd, POLLIN, 0};
    const double left = std::max(0.0, std::min(until, tickedAt_ + kTickMs) - Now());
    const int ready = poll(polled, count, static_cast<int>(left));
    const uint64_t busySince = Nanoseconds();
    account.Count(Counter::kIdleNs, busySince - idleSince);
    const double at = options_.epochMs + static_cast<double>(busySince / 1000000u);
    bool commands = false;
    packets_ = 0;
    if (ready > 0) {
      if (polled[0].revents != 0) {
        uint64_t events = 0;
        if (read(options_.event, &events, sizeof events) == sizeof events) commands = (events & (kNeighbour - 1)) != 0;
      }
      if (options_.workers > 1) FromNeighbours(at);
      for (size_t i = 0; i < options_.sockets.size(); i++) {
        if (polled[2 + i].revents != 0 && FromOutside(options_.sockets[i], at)) backlog_ = true;
      }
      if (polled[1].revents != 0 && FromTun(at)) backlog_ = true;
    }
    if (at - roundAt_ >= FairShare::kRoundMs) Share(at);
    if (at - tickedAt_ >= kTickMs) Periodically(at);
    engine_->Flush();
    if (options_.workers > 1) WakeNeighbours();
    idleSince = Nanoseconds();
    account.Count(Counter::kBusyNs, idleSince - busySince);
    if (packets_ > 0) account.CountLatency(idleSince - busySince, packets_);
    if (commands) return true;
    if (!engine_->records().empty() || at >= until) return false;
  }
}

void Loop::FromNeighbours(double at) {
  for (const auto& ring : options_.from) {
    if (ring == nullptr) continue;
    uint32_t length = 0;
    for (int i = 0; i < kNeighbourRecords; i++) {
      uint8_t* record = ring->Next(length);
      if (record == nullptr) break;
      HandedHeader header;
      std::memcpy(&header, record, sizeof header);
      uint8_t* octets = record + sizeof header;
      const size_t size = length - sizeof header;
      packets_++;
      if (header.kind == kInner) {
        VnetHeader vnet;
        std::memcpy(&vnet, octets, sizeof vnet);
        const Route route = engine_->Inner(octets + kVnetHeader, size - kVnetHeader, OffloadOf(vnet), at);
        // Routes may have changed meanwhile; nothing is handed over twice.
        if (route.link() == nullptr) engine_->CountUnrouted();
      } else {
        const OuterPacket packet = {octets,         static_cast<uint32_t>(size), &header.flow,
                                    header.kind == kEsp ? Via::kEsp : Via::kNatTraversal, header.listener, header.tos};
        engine_->Outer(&packet, 1, at);
      }
    }
    // Decrypted packets of the ring are written before its memory is given back.
    engine_->Flush();
    ring->Release();
  }
}

bool Loop::FromOutside(SocketSpec& spec, double at) {
  Datagrams datagrams(spec, received_.get());
  const int count = datagrams.Receive(messages_);
  if (count <= 0) return false;
  const bool full = static_cast<unsigned>(count) == messages_;
  OuterPacket packets[limits::kJobs];
  size_t gathered = 0;
  uint64_t octets = 0;
  uint64_t received = 0;
  const auto hand = [&](const OuterPacket& packet) {
    received++;
    if (options_.workers > 1 && packet.via != Via::kIke && packet.length >= 8 && Load32(packet.octets) != 0) {
      // A session's SPIs share their low octet, which says whose they are.
      const uint32_t worker = packet.octets[3] % options_.workers;
      if (worker != options_.index) return HandOverEsp(worker, packet);
    }
    packets[gathered++] = packet;
    if (gathered < limits::kJobs) return;
    engine_->Outer(packets, gathered, at);
    gathered = 0;
  };
  for (int i = 0; i < count; i++) octets += datagrams.ForEach(i, hand);
  if (gathered > 0) engine_->Outer(packets, gathered, at);
  packets_ += received;
  engine_->account().Count(Counter::kReceived, received);
  engine_->account().Count(Counter::kMessagesIn, static_cast<uint64_t>(count));
  messages_ = octets / static_cast<uint64_t>(count) > Datagrams::kSlot / 8 ? Datagrams::kFew : Datagrams::kMost;
  // Their memory is the next read's.
  engine_->Flush();
  return full;
}

bool Loop::FromTun(double at) {
  uint8_t* octets = read_ + kFront;
  int big = 0;
  for (int i = 0; i < kTunPackets && big < kTunSuperPackets; i++) {
    const ssize_t length = system_calls::Read(options_.tun, octets - kVnetHeader, kPacket);
    if (length < 0 && errno == EINTR) continue;
    // EAGAIN; or EIO and EBADFD: the interface is down, and packets come again when it is up.
    if (length <= kVnetHeader) return false;
    if (length > kSuperPacket) big++;
    VnetHeader vnet;
    std::memcpy(&vnet, octets - kVnetHeader, sizeof vnet);
    engine_->account().Count(Counter::kTunRead);
    packets_++;
    const Route route = engine_->Inner(octets, static_cast<size_t>(length) - kVnetHeader, OffloadOf(vnet), at);
    if (route.empty()) {
      engine_->CountUnrouted();
    } else if (route.worker() >= 0) {
      HandOverInner(static_cast<uint32_t>(route.worker()), octets - kVnetHeader, static_cast<size_t>(length));
    }
  }
  return true;
}

void Loop::HandOverEsp(uint32_t worker, const OuterPacket& packet) {
  Ring* ring = options_.to[worker].get();
  uint8_t* into = ring->Reserve(static_cast<uint32_t>(sizeof(HandedHeader) + packet.length));
  if (into == nullptr) return engine_->account().Count(Counter::kHandOverFull);
  const HandedHeader header = {packet.via == Via::kEsp ? kEsp : kEspInUdp, packet.listener, packet.tos, {}, *packet.flow};
  std::memcpy(into, &header, sizeof header);
  std::memcpy(into + sizeof header, packet.octets, packet.length);
  ring->Publish();
  wake_[worker] = true;
  engine_->account().Count(Counter::kHandedOver);
}

void Loop::HandOverInner(uint32_t worker, const uint8_t* vnet, size_t octets) {
  if (worker >= options_.workers || options_.to[worker] == nullptr) return engine_->CountUnrouted();
  Ring* ring = options_.to[worker].get();
  uint8_t* into = ring->Reserve(static_cast<uint32_t>(sizeof(HandedHeader) + octets));
  if (into == nullptr) return engine_->account().Count(Counter::kHandOverFull);
  const HandedHeader header = {kInner, 0, 0, {}, {}};
  std::memcpy(into, &header, sizeof header);
  std::memcpy(into + sizeof header, vnet, octets);
  ring->Publish();
  wake_[worker] = true;
  engine_->account().Count(Counter::kHandedOver);
}

void Loop::WakeNeighbours() {
  for (uint32_t worker = 0; worker < options_.workers; worker++) {
    if (!wake_[worker]) continue;
    wake_[worker] = false;
    const uint64_t event = kNeighbour;
    // A counter that is full wakes as well as one that was raised.
    if (write(options_.events[worker], &event, sizeof event) < 0) continue;
  }
}

void Loop::Periodically(double at) {
  tickedAt_ = at;
  engine_->Tick(at);
  engine_->Publish(at);
  Account& account = engine_->account();
  const uint64_t waiting = queues_.Waiting();
  account.Set(Counter::kQueueOctets, waiting);
  account.Set(Counter::kQueueOctetsMax, std::max(waiting, account.Get(Counter::kQueueOctetsMax)));
  account.Set(Counter::kContextMisses, engine_->contexts().misses());
}

// Whether there was more than this worker could do shows in what the queues had to drop.
void Loop::Share(double at) {
  roundAt_ = at;
  bool lost = false;
  if (backlog_ || engine_->fairShare().pressed()) {
    const uint64_t dropped = queues_.Dropped();
    lost = dropped != dropped_;
    dropped_ = dropped;
  }
  backlog_ = false;
  engine_->fairShare().Turn(lost);
}

}  // namespace culvert
