// Fuzz target: an engine whose sessions are fixed, and everything that can arrive at it: datagrams with any
// octets, datagrams that are sealed well with any octets inside, packets of the tun with any offload, control
// messages, grants, time.
#include <memory>

#include "checker.h"
#include "input.h"

namespace culvert::fuzz {
namespace {

constexpr size_t kRowsMax = kSessions + 2;
constexpr size_t kSasMax = 64;
constexpr int kOperations = 64;
// Octets that one input may make the engine work on: more find nothing new.
constexpr size_t kWorkMax = 1 << 19;

class World {
 public:
  explicit World(Input& input)
      : input_(input),
        words_(Account::Words(kRowsMax, kSasMax)),
        account_(words_.data(), kRowsMax, kSasMax),
        engine_(FixedOptions(&account_, &checker_)) {}
  ~World() { Send(); }

  void Run() {
    for (int i = 0; i < kOperations && !input_.done() && work_ < kWorkMax; i++) Operate(input_.U8());
  }

 private:
  void Operate(uint8_t what) {
    switch (what % 16) {
      case 0: return Raw();
      case 1: return SealedRaw();
      case 2: return SealedUser();
      case 3: return SealedFlow();
      case 4: return Inner();
      case 5: return SuperPacketIn();
      case 6: return L2tp();
      case 7: return Ppp();
      case 8: return Grant();
      case 9: return Later();
      case 10: return Send();
      case 11: return Redeclare();
      case 12: return Pressure();
      case 13: return Elsewhere();
      case 14: return engine_.Publish(at_);
      default: return SetPolicy();
    }
  }

  Member& Chosen() {
    const size_t index = input_.U8() % kSessions;
    Member& member = members_[index];
    if (member.session == 0) Declare(member = MemberOf(index, 0));
    return member;
  }

  void Declare(const Member& member) {
    std::string why;
    const std::vector<uint8_t> octets = member.Declaration();
    Must(engine_.Declare(octets.data(), octets.size(), at_, why), "a right declaration is read");
    engine_.Grant(member.sa.inboundSpi, 1, 4000, at_);
  }

  // The engine works on it when the batch goes in, and gives it back with the next `Send`.
  void Arrive(std::vector<uint8_t> octets, Via via, const Flow& flow, uint8_t tos) {
    work_ += octets.size();
    arrived_.push_back({std::move(octets), flow, via, tos});
    if (arrived_.size() % 8 == 0) Deliver();
  }

  void Deliver() {
    std::vector<OuterPacket> packets;
    for (size_t i = delivered_; i < arrived_.size(); i++) {
      Arrived& one = *std::next(arrived_.begin(), static_cast<ptrdiff_t>(i));
      packets.push_back({one.octets.data(), static_cast<uint32_t>(one.octets.size()), &one.flow, one.via, 0, one.tos});
    }
    delivered_ = arrived_.size();
    engine_.Outer(packets.data(), packets.size(), at_);
  }

  void Send() {
    Deliver();
    engine_.Flush();
    arrived_.clear();
    delivered_ = 0;
    engine_.records().Clear();
  }

  void Raw() {
    const uint8_t flags = input_.U8();
    const Member& member = Chosen();
    std::vector<uint8_t> octets = input_.Counted();
    if ((flags & 4) != 0 && octets.size() >= 4) Store32(octets.data(), member.sa.inboundSpi);
    Arrive(std::move(octets), static_cast<Via>((flags & 3) % 3), member.sa.flow, flags >> 4);
  }

  void ArriveSealed(const Member& member, uint8_t nextHeader, const std::vector<uint8_t>& payload, uint8_t flags) {
    uint64_t& sequence = sequences_[member.sa.inboundSpi];
    // Mostly the next number; or one again, or far ahead.
    const uint8_t step = (flags >> 4) & 3;
    const uint64_t number = step == 3 ? sequence : sequence += step == 2 ? 100 : 1;
    std::vector<uint8_t> packet = Sealed(member.sa, number, nextHeader, payload);
    if ((flags & 0xc0) == 0x40) packet[input_.U16() % packet.size()] ^= static_cast<uint8_t>(input_.U8() | 1);
    if ((flags & 0xc0) == 0x80) packet.resize(packet.size() - 4);
    Flow flow = member.sa.flow;
    if ((flags & 0xc0) == 0xc0) flow.remotePort = static_cast<uint16_t>(flow.remotePort + 1);
    Arrive(std::move(packet), member.sa.udp ? Via::kNatTraversal : Via::kEsp, flow, flags & 3);
  }

  void SealedRaw() {
    const Member& member = Chosen();
    const uint8_t flags = input_.U8();
    const uint8_t nextHeader = input_.U8();
    std::vector<uint8_t> payload = input_.Counted();
    // The datagram's own header right, so that L2TP is reached.
    if ((flags & 4) != 0 && payload.size() >= 8) {
      Store32(payload.data(), (1701u << 16) | 1701u);
      Store16(payload.data() + 4, static_cast<uint16_t>(payload.size()));
    }
    ArriveSealed(member, (flags & 8) != 0 ? ip::kUdp : nextHeader, payload, flags);
  }

  void ArriveUser(const Member& member, std::vector<uint8_t> packet, uint8_t flags) {
    const bool ipv4 = packet.empty() || packet[0] >> 4 != 6;
    if (member.link.call != 0) return ArriveSealed(member, ip::kUdp, Framed(member, packet, ns_++), flags);
    ArriveSealed(member, ipv4 ? ip::kIpv4 : ip::kIpv6, packet, flags);
  }

  void SealedUser() {
    const Member& member = Chosen();
    const uint8_t flags = input_.U8();
    std::vector<uint8_t> packet = input_.Counted();
    if ((flags & 4) != 0) MakeRight(packet, member, false);
    ArriveUser(member, std::move(packet), flags);
  }

  // Segments of one or several flows, one after the other: what is joined on its way to the tun.
  void SealedFlow() {
    const Member& member = Chosen();
    const uint8_t flags = input_.U8();
    const size_t count = input_.U8() % 40u + 1;
    const size_t payload = input_.U16() % 1300u;
    const uint8_t flows = input_.U8() % 4;
    for (size_t i = 0; i < count; i++) {
      const uint8_t change = (flags & 8) != 0 ? input_.U8() : 0;
      std::vector<uint8_t> packet = Segment(flags, payload - (change & 1) * (payload / 2));
      MakeRight(packet, member, false);
      uint8_t* upper = packet.data() + ((flags & 1) != 0 ? 40 : 20);
      Store16(upper, static_cast<uint16_t>(1000 + (flows == 0 ? 0 : i % flows)));
      if ((flags & 2) == 0) {
        Store32(upper + 4, static_cast<uint32_t>((flows == 0 ? i : i / flows) * payload));
        if ((change & 2) != 0) upper[13] |= 8;
        if ((change & 4) != 0) upper[13] |= change;
      }
      if ((change & 8) != 0) packet[(flags & 1) != 0 ? 7 : 1] ^= change;
      MakeRight(packet, member, false);
      Sum(packet, (flags & 2) == 0, (change & 16) != 0);
      ArriveUser(member, std::move(packet), 0);
    }
  }

  static std::vector<uint8_t> Segment(uint8_t flags, size_t payload) {
    const bool ipv6 = (flags & 1) != 0;
    const bool tcp = (flags & 2) == 0;
    const size_t ip = ipv6 ? 40 : 20;
    std::vector<uint8_t> packet(ip + (tcp ? 20 : 8) + payload, 0x5a);
    packet[0] = ipv6 ? 0x60 : 0x45;
    if (ipv6) {
      packet[6] = tcp ? ip::kTcp : ip::kUdp;
    } else {
      packet[6] = 0x40;
      packet[7] = 0;
      packet[9] = tcp ? ip::kTcp : ip::kUdp;
    }
    uint8_t* upper = packet.data() + ip;
    if (tcp) {
      upper[12] = 0x50;
      upper[13] = 0x10;
    } else {
      Store16(upper + 4, static_cast<uint16_t>(8 + payload));
    }
    return packet;
  }

  static void Sum(std::vector<uint8_t>& octets, bool tcp, bool wrong) {
    ip::Packet packet;
    const bool good = octets[0] >> 4 == 4 ? ip::ParseIpv4(octets.data(), octets.size(), packet)
                                          : ip::ParseIpv6(octets.data(), octets.size(), packet);
    if (!good) return;
    const size_t size = packet.ipv4 ? 4 : 16;
    const uint8_t* addresses = packet.octets + (packet.ipv4 ? 12 : 8);
    uint8_t* upper = packet.octets + packet.upper;
    const size_t at = tcp ? 16 : 6;
    Store16(upper + at, 0);
    StoreChecksum(upper + at, SumOf(upper, packet.UpperOctets(),
                                    PseudoHeader(addresses, addresses + size, size, tcp ? ip::kTcp : ip::kUdp,
                                                 packet.UpperOctets())));
    if (wrong) upper[at] ^= 1;
  }

  void Inner() {
    const Member& member = Chosen();
    const uint8_t flags = input_.U8();
    Offload offload;
    if ((flags & 1) != 0) offload.segment = input_.U16();
    if ((flags & 2) != 0) {
      offload.needsChecksum = true;
      offload.checksumStart = input_.U16();
      offload.checksumOffset = input_.U16();
    }
    std::vector<uint8_t> packet = input_.Counted();
    if ((flags & 4) != 0) MakeRight(packet, member, true);
    Through(packet, offload);
  }

  // A super-packet whose headers are the input's, more or less, and whose length is up to the largest.
  void SuperPacketIn() {
    const Member& member = Chosen();
    const uint8_t flags = input_.U8();
    Offload offload;
    offload.segment = input_.U16();
    const size_t length = input_.U16();
    // Many tiny segments are only slow.
    if (offload.segment > 0 && length / offload.segment > 512) offload.segment = static_cast<uint16_t>(length / 512 + 1);
    std::vector<uint8_t> packet = Segment(flags, std::max<size_t>(length, 60) - 60);
    const std::vector<uint8_t> over = input_.Octets(input_.U8() % 80);
    if ((flags & 4) != 0) std::copy_n(over.begin(), std::min(over.size(), packet.size()), packet.begin());
    MakeRight(packet, member, true);
    Through(packet, offload);
  }

  void Through(std::vector<uint8_t>& packet, const Offload& offload) {
    Send();
    checker_.ExpectSegments(offload.segment != 0);
    work_ += packet.size() * 2;
    engine_.Inner(packet.data(), packet.size(), offload, at_);
    Send();
    checker_.ExpectSegments(false);
  }

  void L2tp() {
    const uint64_t session = Chosen().session;
    const std::vector<uint8_t> message = input_.Counted();
    engine_.L2tp(session, 1701, input_.U16(), message.data(), message.size(), at_);
  }

  void Ppp() {
    const Member& member = Chosen();
    const uint8_t flags = input_.U8();
    const std::vector<uint8_t> frame = input_.Counted();
    const uint16_t call = (flags & 1) != 0 ? input_.U16() : member.call.ourCall;
    engine_.Ppp(member.session, call, frame.data(), frame.size(), at_);
  }

  void Grant() {
    const Member& member = Chosen();
    const uint64_t first = input_.U32();
    engine_.Grant(member.sa.inboundSpi, first, first + input_.U32() % 5000, at_);
  }

  void Later() {
    at_ += input_.U16();
    engine_.Tick(at_);
  }

  // What waits to be sealed or written is not to be hurt by what happens to its session.
  void Redeclare() {
    Deliver();
    Member& member = Chosen();
    const uint8_t how = input_.U8();
    std::string why;
    if (how % 4 == 0) {
      const std::vector<uint8_t> octets = member.Gone();
      Must(engine_.Declare(octets.data(), octets.size(), at_, why), "a session may go");
      member.session = 0;
    } else {
      const uint8_t generation = how % 4 == 1 ? member.generation : static_cast<uint8_t>(member.generation + 1);
      member = MemberOf(member.session - 1, generation);
      if (how % 4 == 2) member.link.mtuToPeer = input_.U16();
      Declare(member);
    }
  }

  void Pressure() {
    for (int rounds = input_.U8() % 4; rounds >= 0; rounds--) engine_.fairShare().Turn((rounds & 1) == 0);
  }

  void Elsewhere() {
    const Member& member = Chosen();
    Prefix prefix = member.link.ipv4;
    prefix.bits = static_cast<uint8_t>(input_.U8() % 129);
    const int worker = input_.U8() % 4 - 1;
    engine_.Elsewhere(prefix, worker);
  }

  void SetPolicy() {
    const std::vector<uint8_t> octets = input_.Counted();
    std::string why;
    engine_.SetPolicy(octets.data(), octets.size(), why);
  }

  struct Arrived {
    std::vector<uint8_t> octets;
    Flow flow;
    Via via;
    uint8_t tos;
  };

  Input& input_;
  std::vector<uint64_t> words_;
  Account account_;
  Checker checker_;
  Engine engine_;
  Member members_[kSessions] = {};
  std::list<Arrived> arrived_;
  size_t delivered_ = 0;
  std::unordered_map<uint32_t, uint64_t> sequences_;
  size_t work_ = 0;
  uint16_t ns_ = 0;
  double at_ = 1000;
};

}  // namespace
}  // namespace culvert::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* octets, size_t size) {
  culvert::fuzz::Input input(octets, size);
  culvert::fuzz::World(input).Run();
  return 0;
}
