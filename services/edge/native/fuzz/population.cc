#include "population.h"

#include <new>

#include "input.h"
#include "writer.h"

namespace culvert::fuzz {
namespace {

constexpr uint32_t kInboundBase = 0x10000;
constexpr uint32_t kOutboundBase = 0x20000;
constexpr uint32_t kGenerations = 256;
constexpr double kForEver = 1e15;

crypto::Suite SuiteOf(size_t index) {
  const size_t place = index % 18;
  if (place >= 16) return {place == 16 ? crypto::Cipher::kAesGcm128 : crypto::Cipher::kAesGcm256, crypto::Mac::kNone};
  return {static_cast<crypto::Cipher>(place / 4), static_cast<crypto::Mac>(1 + place % 4)};
}

crypto::Keys KeysOf(crypto::Suite suite, unsigned seed) {
  crypto::Keys keys{};
  keys.suite = suite;
  for (uint8_t& octet : keys.encryption) octet = static_cast<uint8_t>(seed = seed * 197 + 11);
  for (uint8_t& octet : keys.integrity) octet = static_cast<uint8_t>(seed = seed * 197 + 11);
  for (uint8_t& octet : keys.salt) octet = static_cast<uint8_t>(seed = seed * 197 + 11);
  // What is longer than the suite's own keys does not cross.
  std::fill(keys.encryption + crypto::KeyOctets(suite.cipher), std::end(keys.encryption), uint8_t{0});
  std::fill(keys.integrity + crypto::MacKeyOctets(suite.mac), std::end(keys.integrity), uint8_t{0});
  return keys;
}

Address Four(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  const uint8_t octets[4] = {a, b, c, d};
  return Address::Mapped(octets);
}

Address Six(uint8_t third, uint8_t last) {
  Address address{};
  address.octets[0] = 0x20;
  address.octets[1] = 0x01;
  address.octets[2] = 0x0d;
  address.octets[3] = 0xb8;
  address.octets[7] = third;
  address.octets[15] = last;
  return address;
}

crypto::Backend& Cipher() {
  static std::string why;
  static const std::unique_ptr<crypto::Backend> backend = crypto::NewBackend("openssl", why);
  return *backend;
}

class Context {
 public:
  Context(const crypto::Keys& keys, crypto::Direction direction)
      : memory_(::operator new(Cipher().ContextOctets(keys.suite, direction), kAligned)) {
    Cipher().Init(memory_, keys, direction);
  }
  ~Context() {
    Cipher().Destroy(memory_);
    ::operator delete(memory_, kAligned);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  void* get() const { return memory_; }

 private:
  static constexpr std::align_val_t kAligned{crypto::kContextAlignment};
  void* memory_;
};

}  // namespace

Member MemberOf(size_t index, uint8_t generation) {
  const uint8_t number = static_cast<uint8_t>(index % kSessions);
  const bool tunnel = number >= 18;
  Member member{};
  member.session = number + 1u;
  member.generation = generation;
  SaEntry& sa = member.sa;
  sa.inboundSpi = kInboundBase + number * kGenerations + generation;
  sa.outboundSpi = kOutboundBase + number * kGenerations + generation;
  const crypto::Suite suite = SuiteOf(number);
  sa.inbound = KeysOf(suite, sa.inboundSpi);
  sa.outbound = KeysOf(suite, sa.outboundSpi);
  const bool outside6 = number % 5 == 4;
  sa.flow = outside6 ? Flow{Six(200, 1), Six(201, number), 4500, 4500}
                     : Flow{Four(192, 0, 2, 1), Four(198, 51, 100, number), 4500, 4500};
  sa.udp = number % 3 != 2;
  if (!sa.udp) sa.flow.localPort = sa.flow.remotePort = 0;
  sa.esn = number % 2 == 1;
  sa.selectorLocalPort = 1701;
  sa.selectorRemotePort = number % 4 == 0 ? 0 : 1701;
  sa.createdAt = generation;
  sa.expiresAt = kForEver;
  member.call = {7, static_cast<uint16_t>(number + 1), 8, static_cast<uint16_t>(number + 100), 1701, 1701, number % 4 == 1};
  LinkEntry& link = member.link;
  link.call = tunnel ? 0 : member.call.ourCall;
  link.hasIpv4 = true;
  link.hasIpv6 = number % 7 != 6;
  link.ipv4 = {Four(10, 0, number, 1), 128};
  link.ipv6 = {Six(number, 0), 64};
  link.pfc = number % 2 == 0;
  link.acfc = number % 3 == 0;
  link.mtuToPeer = number % 6 == 5 ? 600 : number == 2 ? 65535 : 1400;
  link.mruFromPeer = number == 2 ? 65535 : 1400;
  if (number % 8 == 3) link.routes = {{Four(10, 1, number, 0), 120}, {Six(number + 64u, 0), 64}};
  if (number % 8 == 5) {
    link.hasRules = true;
    link.rules = {{{Four(10, 9, 9, 0), 120}, 0, 65535, 0, 1, false}, {{Four(0, 0, 0, 0), 96}, 0, 65535, 0, 2, true}};
  }
  link.hasRateFromPeer = link.hasRateToPeer = number % 8 == 7;
  link.rateFromPeer = link.rateToPeer = {20000, 4000};
  link.dscp = number % 9 == 8 ? 12 : -1;
  if (tunnel) {
    const TrafficSelector any4 = {Four(0, 0, 0, 0), Four(255, 255, 255, 255), 0, 65535, 0};
    Address last;
    std::fill(std::begin(last.octets), std::end(last.octets), uint8_t{0xff});
    const TrafficSelector any6 = {Address{}, last, 0, 65535, 0};
    const TrafficSelector web = {Four(0, 0, 0, 0), Four(255, 255, 255, 255), 80, 443, 6};
    auto selectors = std::make_shared<Selectors>();
    selectors->local = number % 2 == 0 ? std::vector{any4, any6} : std::vector{web, any6};
    selectors->remote = {any4, any6};
    sa.selectors = selectors;
  }
  return member;
}

Member MemberBySpi(uint32_t outboundSpi) {
  Must(outboundSpi >= kOutboundBase && outboundSpi < kOutboundBase + kSessions * kGenerations,
       "what leaves has an SPI that was declared");
  const uint32_t place = outboundSpi - kOutboundBase;
  return MemberOf(place / kGenerations, static_cast<uint8_t>(place % kGenerations));
}

std::vector<uint8_t> Member::Declaration() const {
  Writer out;
  out.Declare(session, 0);
  out.Sa(sa);
  if (link.call != 0) out.Call(call);
  out.Link(link);
  return out.octets();
}

std::vector<uint8_t> Member::Gone() const {
  Writer out;
  out.Declare(session, 0);
  return out.octets();
}

Policy FixedPolicy() {
  Policy policy;
  policy.localAddresses = {Four(192, 0, 2, 1), Four(10, 9, 0, 1)};
  policy.hasGateway4 = true;
  const uint8_t gateway[4] = {10, 9, 0, 1};
  std::copy_n(gateway, 4, policy.gateway4);
  policy.pools = {{Four(10, 0, 0, 0), 112}};
  policy.clientToClient = true;
  return policy;
}

EngineOptions FixedOptions(Account* account, Outlet* outlet) {
  // The engine's own: a client's side works while the engine is in the middle of something.
  static std::string why;
  static const std::unique_ptr<crypto::Backend> backend = crypto::NewBackend("openssl", why);
  Must(backend != nullptr, "OpenSSL is there");
  EngineOptions options{};
  options.backend = backend.get();
  options.ivPrefix = 0x0a000001;
  options.policy = FixedPolicy();
  options.replayWindow = 64;
  options.account = account;
  options.outlet = outlet;
  options.coalesce = options.coalesceUdp = options.segment = true;
  return options;
}

std::vector<uint8_t> Sealed(const SaEntry& sa, uint64_t sequence, uint8_t nextHeader,
                            const std::vector<uint8_t>& payload) {
  const crypto::Suite suite = sa.inbound.suite;
  const size_t unit = std::max<size_t>(4, crypto::BlockOctets(suite.cipher));
  const size_t plain = (payload.size() + 2 + unit - 1) / unit * unit;
  const size_t iv = crypto::IvOctets(suite.cipher);
  const size_t icv = crypto::IcvOctets(suite);
  std::vector<uint8_t> packet(8 + iv + plain + icv);
  Store32(packet.data(), sa.inboundSpi);
  Store32(packet.data() + 4, static_cast<uint32_t>(sequence));
  Store32(packet.data() + 8, static_cast<uint32_t>(sequence * 7));
  std::copy(payload.begin(), payload.end(), packet.begin() + static_cast<ptrdiff_t>(8 + iv));
  const size_t padding = plain - 2 - payload.size();
  uint8_t* at = packet.data() + 8 + iv + payload.size();
  for (size_t i = 0; i < padding; i++) at[i] = static_cast<uint8_t>(i + 1);
  at[padding] = static_cast<uint8_t>(padding);
  at[padding + 1] = nextHeader;
  const Context context(sa.inbound, crypto::Direction::kSeal);
  crypto::Job job = {context.get(), packet.data(), static_cast<uint32_t>(plain), static_cast<uint32_t>(sequence >> 32),
                     static_cast<uint8_t>(icv), sa.esn, false};
  Cipher().Seal(&job, 1);
  Must(job.ok, "the client can seal");
  return packet;
}

std::vector<uint8_t> Opened(const SaEntry& sa, const uint8_t* packet, size_t length) {
  const crypto::Suite suite = sa.outbound.suite;
  const size_t head = 8 + crypto::IvOctets(suite.cipher);
  // A SHA-256 may be truncated, if the client was seen to do it.
  const size_t whole = crypto::IcvOctets(suite);
  const size_t least = suite.mac == crypto::Mac::kHmacSha256_128 ? 12 : whole;
  for (size_t icv = whole; icv >= least; icv -= 4) {
    if (length <= head + icv || (length - head - icv) % crypto::BlockOctets(suite.cipher) != 0) continue;
    std::vector<uint8_t> copy(packet, packet + length);
    const Context context(sa.outbound, crypto::Direction::kOpen);
    // No input grants so many numbers that the high half counts.
    crypto::Job job = {context.get(), copy.data(), static_cast<uint32_t>(length - head - icv), 0,
                       static_cast<uint8_t>(icv), sa.esn, false};
    Cipher().Open(&job, 1);
    if (job.ok) return {copy.begin() + static_cast<ptrdiff_t>(head), copy.end() - static_cast<ptrdiff_t>(icv)};
  }
  return {};
}

std::vector<uint8_t> Framed(const Member& member, const std::vector<uint8_t>& packet, uint16_t ns) {
  Writer out;
  const bool ipv4 = packet.empty() || packet[0] >> 4 == 4;
  const bool sequencing = member.call.sequencing;
  const size_t l2tp = (sequencing ? 12u : 8u) + 4u + packet.size();
  out.U16(1701);
  out.U16(1701);
  out.U16(static_cast<unsigned>(8 + l2tp));
  out.U16(0);
  out.U16(sequencing ? 0x4802 : 0x4002);
  out.U16(static_cast<unsigned>(l2tp));
  out.U16(member.call.ourTunnel);
  out.U16(member.call.ourCall);
  if (sequencing) {
    out.U16(ns);
    out.U16(0);
  }
  out.U16(0xff03);
  out.U16(ipv4 ? 0x0021 : 0x0057);
  out.Octets(packet.data(), packet.size());
  return out.octets();
}

void MakeRight(std::vector<uint8_t>& packet, const Member& member, bool toClient) {
  if (packet.size() < ip::kIpv4Header) packet.resize(ip::kIpv4Header);
  uint8_t* at = packet.data();
  const Address other = Four(203, 0, 113, 5);
  if (at[0] >> 4 == 6 && packet.size() >= ip::kIpv6Header) {
    Store16(at + 4, static_cast<uint16_t>(packet.size() - ip::kIpv6Header));
    const Address client = [&] {
      Address made = member.link.ipv6.address;
      made.octets[15] = 9;
      return made;
    }();
    const Address far = Six(250, 5);
    std::copy_n((toClient ? far : client).octets, 16, at + 8);
    std::copy_n((toClient ? client : far).octets, 16, at + 24);
    return;
  }
  const size_t most = std::min<size_t>(15, packet.size() / 4);
  const size_t header = std::clamp<size_t>(at[0] & 15, 5, most);
  at[0] = static_cast<uint8_t>(0x40 | header);
  Store16(at + 2, static_cast<uint16_t>(packet.size()));
  std::copy_n((toClient ? other : member.link.ipv4.address).four(), 4, at + 12);
  std::copy_n((toClient ? member.link.ipv4.address : other).four(), 4, at + 16);
  at[10] = at[11] = 0;
  StoreChecksum(at + 10, SumOf(at, header * 4));
}

}  // namespace culvert::fuzz
