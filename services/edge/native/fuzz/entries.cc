// Fuzz target: declarations and policies with any octets, several one after the other, and then a packet
// through each SA and each link that came of them.
#include <memory>

#include "input.h"
#include "population.h"

namespace culvert::fuzz {
namespace {

constexpr size_t kRowsMax = 9;
constexpr size_t kSasMax = 17;
constexpr size_t kPackets = 8;

// What is sent does not matter here; that it can be read does.
class Reader : public Outlet {
 public:
  void ToTun(const SuperPacket& packet) override { Read(packet.octets, packet.length); }
  void ToPeers(const std::vector<Group>& groups) override {
    for (const Group& group : groups) Read(group.octets, group.length);
  }
  uint64_t sum() const { return sum_; }

 private:
  void Read(const uint8_t* octets, size_t length) { sum_ = SumOf(octets, length, sum_); }
  uint64_t sum_ = 0;
};

std::vector<uint8_t> Packet(const Member& member, bool ipv6, bool toClient) {
  std::vector<uint8_t> packet(ipv6 ? 80 : 60);
  packet[0] = ipv6 ? 0x60 : 0x45;
  packet[ipv6 ? 6 : 9] = ip::kTcp;
  packet[ipv6 ? 7 : 8] = 64;
  packet[(ipv6 ? 40 : 20) + 12] = 0x50;
  MakeRight(packet, member, toClient);
  return packet;
}

class World {
 public:
  World() : words_(Account::Words(kRowsMax, kSasMax)), account_(words_.data(), kRowsMax, kSasMax), engine_(FixedOptions(&account_, &reader_)) {}

  void Declare(const std::vector<uint8_t>& octets) {
    std::string why;
    const bool read = engine_.Declare(octets.data(), octets.size(), at_, why);
    const std::optional<Declaration> declaration = ReadDeclaration(octets.data(), octets.size(), why);
    Must(read == declaration.has_value(), "what can be read is declared");
    if (!read) return;
    Entries entries;
    Must(ReadEntries(declaration->entries, entries, why), "what was read once is read again");
    for (size_t i = 0; i < entries.sas.size() && i < kPackets; i++) ThroughSa(entries, entries.sas[i]);
    for (size_t i = 0; i < entries.links.size() && i < kPackets; i++) ThroughLink(entries.links[i]);
    engine_.L2tp(declaration->session, 1701, 1701, octets.data(), std::min<size_t>(octets.size(), 40), at_);
    engine_.Publish(at_);
    at_ += 3;
    engine_.Tick(at_);
    engine_.records().Clear();
  }

  void SetPolicy(const std::vector<uint8_t>& octets) {
    std::string why;
    engine_.SetPolicy(octets.data(), octets.size(), why);
  }

  void Flush() { engine_.Flush(); }

 private:
  void ThroughSa(const Entries& entries, const SaEntry& sa) {
    engine_.Grant(sa.inboundSpi, 1, 1000, at_);
    for (const LinkEntry& link : entries.links) {
      Member member{};
      member.sa = sa;
      member.link = link;
      for (const CallEntry& call : entries.calls) {
        if (call.ourCall == link.call) member.call = call;
      }
      for (const bool ipv6 : {false, true}) {
        const std::vector<uint8_t> packet = Packet(member, ipv6, false);
        const bool tunnel = sa.selectors != nullptr;
        const uint8_t nextHeader = tunnel ? (ipv6 ? ip::kIpv6 : ip::kIpv4) : ip::kUdp;
        std::vector<uint8_t> sealed =
            Sealed(sa, ++sequence_, nextHeader, tunnel ? packet : Framed(member, packet, 0));
        const Flow flow = sa.flow;
        const OuterPacket outer = {sealed.data(), static_cast<uint32_t>(sealed.size()), &flow,
                                   sa.udp ? Via::kNatTraversal : Via::kEsp, 0, 1};
        engine_.Outer(&outer, 1, at_);
        engine_.Flush();
      }
    }
  }

  void ThroughLink(const LinkEntry& link) {
    Member member{};
    member.link = link;
    for (const bool ipv6 : {false, true}) {
      std::vector<uint8_t> packet = Packet(member, ipv6, true);
      engine_.Inner(packet.data(), packet.size(), {}, at_);
      packet = Packet(member, ipv6, true);
      engine_.Inner(packet.data(), packet.size(), {8, true, 20, 16}, at_);
    }
  }

  std::vector<uint64_t> words_;
  Account account_;
  Reader reader_;
  Engine engine_;
  uint64_t sequence_ = 0;
  double at_ = 1000;
};

}  // namespace
}  // namespace culvert::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* octets, size_t size) {
  culvert::fuzz::Input input(octets, size);
  culvert::fuzz::World world;
  while (!input.done()) {
    const uint8_t what = input.U8();
    const std::vector<uint8_t> one = input.Counted();
    if (what % 8 == 0) {
      world.SetPolicy(one);
    } else if (what % 8 == 1) {
      world.Flush();
    } else {
      world.Declare(one);
    }
  }
  world.Flush();
  return 0;
}
