// The data plane without any I/O: packets and declarations in, super-packets for the tun, groups for the
// sockets and records for JavaScript out; time is an argument. One thread owns an engine. It decides as the
// reference does (services/edge/pipeline), packet by packet; test/differential holds the two together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "../crypto/crypto.h"
#include "account.h"
#include "admission.h"
#include "coalescer.h"
#include "contexts.h"
#include "entries.h"
#include "fair_share.h"
#include "flat_map.h"
#include "limits.h"
#include "records.h"
#include "routes.h"
#include "rows.h"
#include "sealer.h"
#include "trail.h"

namespace culvert {

enum class Via : uint8_t { kIke, kNatTraversal, kEsp };

// What arrived from outside: octets behind UDP, or behind IP for raw ESP. They are worked on in place, must
// stay until the tun's packets were flushed, and have no use afterwards.
struct OuterPacket {
  uint8_t* octets;
  uint32_t length;
  // Outlives the call.
  const Flow* flow;
  Via via;
  // Index of the configured listener.
  uint8_t listener;
  uint8_t tos;
};

// Where the engine's packets go. What is handed over is valid during the call.
class Outlet {
 public:
  virtual ~Outlet() = default;
  virtual void ToTun(const SuperPacket& packet) = 0;
  virtual void ToPeers(const std::vector<Group>& groups) = 0;
};

struct EngineOptions {
  crypto::Backend* backend;
  // Node id and generation, and the key of unpredictable IVs.
  uint32_t ivPrefix;
  uint8_t ivKey[32];
  Policy policy;
  uint32_t replayWindow;
  Account* account;
  Outlet* outlet;
  std::vector<std::pair<uint32_t, Mark>> past;
  // Super-packets towards the tun, of UDP too; super-packets towards peers.
  bool coalesce;
  bool coalesceUdp;
  bool segment;
};

// A tun packet's virtio header, as far as it matters: 0 octets a segment for a packet that is whole.
struct Offload {
  uint16_t segment = 0;
  bool needsChecksum = false;
  uint16_t checksumStart = 0;
  uint16_t checksumOffset = 0;
};

inline Offload OffloadOf(const VnetHeader& header) {
  const bool cut = (header.gsoType & ~kGsoEcn) != kGsoNone;
  return {cut ? header.gsoSize : uint16_t{0}, (header.flags & kVnetNeedsChecksum) != 0, header.checksumStart,
          header.checksumOffset};
}

class Engine {
 public:
  explicit Engine(const EngineOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // A record's forwarding entries, in place of what that bucket declared for the session before. False and
  // `why` when it cannot be read; then nothing has changed.
  bool Declare(const uint8_t* octets, size_t length, double at, std::string& why);
  void Grant(uint32_t inboundSpi, uint64_t first, uint64_t end, double at);
  bool SetPolicy(const uint8_t* octets, size_t length, std::string& why);

  void Outer(const OuterPacket* packets, size_t count, double at);
  // A packet from the tun. The route that it took: empty when nobody has its destination.
  Route Inner(uint8_t* packet, size_t length, const Offload& offload, double at);
  bool L2tp(uint64_t session, uint16_t localPort, uint16_t remotePort, const uint8_t* message, size_t length,
            double at);
  void Ppp(uint64_t session, uint16_t call, const uint8_t* frame, size_t length, double at);
  // Sends and writes everything that has been made so far.
  void Flush();
  void Tick(double at);
  // Makes rows of changed sessions in shared memory say what is true at `at`.
  void Publish(double at);
  // The path to this place takes outer packets of at most `mtu` octets.
  void LearnPathMtu(const Flow& flow, uint16_t mtu, double at);
  // Which worker has another session's prefixes; -1 to forget them.
  void Elsewhere(const Prefix& prefix, int worker);
  FairShare& fairShare() { return fairShare_; }
  void CountUnrouted() { CountDrop(Drop::kNoRoute, nullptr); }

  Records& records() { return records_; }
  Account& account() { return *options_.account; }
  size_t sessions() const { return sessions_.size(); }
  size_t sas() const { return sas_.size(); }
  const Contexts& contexts() const { return contexts_; }

 private:
  // apply.cc
  struct Refusals;
  void Apply(Session& session, double at);
  void ReconcileSas(Session& session, std::vector<SaEntry>& wanted, const std::vector<uint32_t>& kept);
  void ReconcileCalls(Session& session, const std::vector<CallEntry>& wanted, const std::vector<uint16_t>& kept,
                      double at);
  void ReconcileLinks(Session& session, std::vector<LinkEntry>& wanted, const std::vector<uint16_t>& kept, double at);
  Sa* NewSa(Session& session, SaEntry& entry);
  void RemoveSa(Sa* sa);
  void DeleteSa(Sa* sa);
  bool AddRoutes(Link& link);
  void RemoveRoutes(const Link& link);
  void Refuse(const Session& session, const std::string& why);
  void Remember(const Sa& sa);
  const Mark* Recall(const SaEntry& entry) const;

  // open_in.cc
  struct Opening {
    Sa* sa;
    const OuterPacket* outer;
    uint8_t* esp;
    // Where its plaintext is, when not in its place.
    uint8_t* clear;
    uint32_t length;
    uint64_t sequence;
    bool tried;
    uint8_t icvOctets;
  };
  void IkeIn(const OuterPacket& packet, uint8_t* octets, uint32_t length, bool marker, double at);
  void EspIn(const OuterPacket& packet, bool udp, double at);
  static void Foresee(const Opening& opening);
  void OpenAll(double at);
  void Opened(const Opening& opening, bool holds, double at);
  void FollowEndpoint(Sa& sa, const Flow& flow, double at);

  // message_in.cc
  void DatagramIn(Sa& sa, uint8_t* payload, size_t length, uint8_t tos, double at);
  void MessageIn(Sa& sa, uint16_t remotePort, uint8_t* message, size_t length, uint8_t tos, double at);
  void DataIn(Sa& sa, uint8_t* message, size_t length, uint8_t tos, double at);
  void FrameIn(Sa& sa, Call& call, uint8_t* frame, size_t length, uint8_t tos, double at);
  void TunnelIn(Sa& sa, uint8_t* packet, size_t length, uint8_t nextHeader, uint8_t tos, double at);

  // user_in.cc
  enum class Verdict : uint8_t { kForward, kLinkLocal, kEcho, kDrop };
  void UserIn(Link& link, Sa& sa, uint8_t* octets, size_t length, bool ipv4, uint8_t tos, double at);
  void Forward(Link& link, const ip::Packet& packet, uint8_t accountingClass);
  Verdict Judge4(Link& link, const ip::Packet& packet, Drop& reason);
  Verdict Judge6(Link& link, const ip::Packet& packet, Drop& reason);
  Verdict Reachable(Link& link, const Address& destination, Drop& reason);
  void LinkLocalIn(Link& link, const ip::Packet& packet, double at);
  void EchoIn(Link& link, const ip::Packet& packet, double at);
  void ToTun(const ip::Packet& packet, bool priority);
  void ToTun(std::vector<uint8_t> made);

  // user_out.cc
  int64_t PathMtu(const Link& link, double at);
  void SegmentsOut(Link& link, const ip::Packet& packet, const Offload& offload, double at);
  void Ipv4Out(Link& link, ip::Packet& packet, double at);
  void Ipv6Out(Link& link, ip::Packet& packet, double at);
  void TooBig(Link& link, const ip::Packet& packet, int64_t mtu, double at);
  void Metered(Link& link, const ip::Packet& packet, uint8_t accountingClass, double at);
  void SendUser(Link& link, const ip::Packet& packet, uint8_t accountingClass, double at);
  uint8_t OuterTos(const Link& link, uint8_t inner) const;

  // seal_out.cc
  Sa* OutboundSa(const Session& session, bool tunnel, double at) const;
  Sa* TunnelSa(const Session& session, const ip::Packet& packet, double at, bool& usable) const;
  int64_t InnerRoom(const Sa& sa, const Call* call, double at) const;
  enum class Numbered : uint8_t { kTaken, kStalled, kExhausted };
  Numbered TakeSequence(Sa& sa, uint64_t& sequence);
  static bool NeedsMore(const Sa& sa);
  static bool AddSequences(Sa& sa, uint64_t first, uint64_t end);
  uint8_t* Open(Sa& sa, uint64_t sequence, size_t payload, uint8_t tos, bool priority);
  void WantSequence(Sa& sa);
  uint8_t* Begin(Sa& sa, size_t payload, uint8_t nextHeader, uint8_t tos, bool priority, double at);
  void End();
  size_t DataHeader(const Call& call, uint16_t protocol, bool pfc, bool acfc, uint8_t* into) const;
  void FinishDatagram(const Sa& sa, uint8_t* datagram, size_t length) const;
  void SendFrame(Call& call, uint16_t protocol, const uint8_t* information, size_t length, bool pfc, bool acfc,
                 uint8_t tos, bool priority, double at);
  void SendL2tp(Session& session, uint16_t localPort, uint16_t remotePort, const uint8_t* message, size_t length,
                double at);

  void CountDrop(Drop reason, Session* session);
  void Touch(Session& session);
  void CountUser(Session& session, bool toPeer, bool ipv6, uint8_t accountingClass, size_t octets, uint64_t packets = 1);
  void PublishRow(Session& session, uint64_t publication, double at);

  EngineOptions options_;
  Policy policy_;
  struct AddressHash {
    size_t operator()(const Address& address) const;
  };
  std::unordered_set<Address, AddressHash> local_;
  uint32_t policyVersion_ = 1;
  Contexts contexts_;
  crypto::IvSource ivs_;
  Sealer sealer_;
  Coalescer coalescer_;
  Records records_;
  Admission admission_;
  FairShare fairShare_;
  Trail trail_;
  // The UDP datagram of the packet at hand.
  const uint8_t* datagram_ = nullptr;
  // Its own place, while its plaintext lies in a super-packet.
  uint8_t* home_ = nullptr;
  FlatMap<uint64_t, Session*> sessions_;
  FlatMap<uint32_t, Sa*> sas_;
  Routes routes_;
  // By inbound SPI; the one remembered first is forgotten first.
  std::list<std::pair<uint32_t, Mark>> past_;
  std::unordered_map<uint32_t, std::list<std::pair<uint32_t, Mark>>::iterator> pastBySpi_;
  std::vector<Session*> touched_;
  // Packets that the engine made itself for the tun; they wait for the flush.
  std::vector<std::vector<uint8_t>> made_;

  Opening openings_[limits::kJobs];
  crypto::Job jobs_[limits::kJobs];
  size_t openingCount_ = 0;
  size_t jobCount_ = 0;
  // The payload between Begin and End, when it has to wait for numbers.
  bool stalling_ = false;
  uint32_t ticks_ = 0;
  uint8_t nextHeader_ = 0;
};

}  // namespace culvert
