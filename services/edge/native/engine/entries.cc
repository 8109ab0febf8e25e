#include "entries.h"

#include <cmath>

#include "limits.h"
#include "octets.h"

namespace culvert {
namespace {

// Reads big-endian fields; the first that is not there makes everything after it zero and `ok` false.
class Reader {
 public:
  Reader(const uint8_t* at, size_t length) : at_(at), end_(at + length) {}
  bool ok() const { return ok_; }
  bool done() const { return at_ == end_; }
  uint8_t U8() { return Has(1) ? *at_++ : 0; }
  uint16_t U16() { return Has(2) ? Load16(Take(2)) : 0; }
  uint32_t U32() { return Has(4) ? Load32(Take(4)) : 0; }
  uint64_t U64() { return Has(8) ? Load64(Take(8)) : 0; }
  double F64() {
    const uint64_t bits = U64();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  void Octets(uint8_t* into, size_t length) {
    if (Has(length)) std::memcpy(into, Take(length), length);
  }
  Address Sixteen() {
    Address address{};
    Octets(address.octets, sizeof address.octets);
    return address;
  }
  Prefix Network() {
    Prefix prefix{Sixteen(), U8()};
    if (prefix.bits > 128) ok_ = false;
    return ok_ ? prefix : Prefix{};
  }
  std::string Text() {
    std::string text(U8(), '\0');
    Octets(reinterpret_cast<uint8_t*>(text.data()), text.size());
    return text;
  }
  std::vector<uint8_t> Rest() {
    std::vector<uint8_t> rest(at_, end_);
    at_ = end_;
    return rest;
  }

 private:
  bool Has(size_t length) {
    if (ok_ && static_cast<size_t>(end_ - at_) >= length) return true;
    ok_ = false;
    return false;
  }
  const uint8_t* Take(size_t length) {
    const uint8_t* taken = at_;
    at_ += length;
    return taken;
  }
  const uint8_t* at_;
  const uint8_t* end_;
  bool ok_ = true;
};

enum Kind : uint8_t { kSa = 1, kCall, kLink, kKeptSa, kKeptCall, kKeptLink, kNothing };

constexpr uint8_t kUdpEncapsulated = 1;
constexpr uint8_t kExtended = 2;
constexpr uint8_t kTunnel = 4;

bool ReadKeys(Reader& reader, crypto::Keys& keys) {
  reader.Octets(keys.encryption, crypto::KeyOctets(keys.suite.cipher));
  reader.Octets(keys.integrity, crypto::MacKeyOctets(keys.suite.mac));
  if (crypto::IsGcm(keys.suite.cipher)) reader.Octets(keys.salt, sizeof keys.salt);
  return reader.ok();
}

std::vector<TrafficSelector> ReadSelectors(Reader& reader) {
  std::vector<TrafficSelector> selectors(reader.U8() & 0x1f);
  for (TrafficSelector& one : selectors) {
    one.protocol = reader.U8();
    one.from = reader.Sixteen();
    one.to = reader.Sixteen();
    one.fromPort = reader.U16();
    one.toPort = reader.U16();
  }
  return selectors;
}

bool ReadSa(Reader& reader, SaEntry& sa, std::string& why) {
  sa = {};
  sa.inboundSpi = reader.U32();
  sa.outboundSpi = reader.U32();
  const uint8_t cipher = reader.U8();
  const uint8_t mac = reader.U8();
  const uint8_t flags = reader.U8();
  if (cipher > static_cast<uint8_t>(crypto::Cipher::kAesGcm256) ||
      mac > static_cast<uint8_t>(crypto::Mac::kHmacSha512_256)) {
    why = "SA: unknown algorithm";
    return false;
  }
  const crypto::Suite suite{static_cast<crypto::Cipher>(cipher), static_cast<crypto::Mac>(mac)};
  if (crypto::IsGcm(suite.cipher) != (suite.mac == crypto::Mac::kNone)) {
    why = "SA: integrity belongs to every cipher but AES-GCM";
    return false;
  }
  sa.inbound.suite = sa.outbound.suite = suite;
  if (!ReadKeys(reader, sa.inbound) || !ReadKeys(reader, sa.outbound)) return false;
  sa.flow.local = reader.Sixteen();
  sa.flow.localPort = reader.U16();
  sa.flow.remote = reader.Sixteen();
  sa.flow.remotePort = reader.U16();
  sa.selectorLocalPort = reader.U16();
  sa.selectorRemotePort = reader.U16();
  sa.createdAt = reader.F64();
  sa.expiresAt = reader.F64();
  sa.udp = (flags & kUdpEncapsulated) != 0;
  sa.esn = (flags & kExtended) != 0;
  if ((flags & kTunnel) != 0) {
    auto selectors = std::make_shared<Selectors>();
    selectors->local = ReadSelectors(reader);
    selectors->remote = ReadSelectors(reader);
    sa.selectors = std::move(selectors);
  }
  if (!std::isfinite(sa.createdAt) || !std::isfinite(sa.expiresAt)) {
    why = "SA: a time is not a number";
    return false;
  }
  // RFC 4303 §2.1: 1 to 255 are reserved; the row of an SPI of zero would be a free one.
  if (reader.ok() && sa.inboundSpi < 256) {
    why = "SA: reserved SPI";
    return false;
  }
  return reader.ok();
}

bool ReadCall(Reader& reader, CallEntry& call, std::string& why) {
  call.ourTunnel = reader.U16();
  call.ourCall = reader.U16();
  call.theirTunnel = reader.U16();
  call.theirCall = reader.U16();
  call.localPort = reader.U16();
  call.remotePort = reader.U16();
  call.sequencing = reader.U8() != 0;
  // RFC 2661 §3.1; and a link of call 0 has none, in whose stead it would be taken.
  if (reader.ok() && call.ourCall == 0) {
    why = "call: 0 is no call";
    return false;
  }
  return reader.ok();
}

bool ReadRate(Reader& reader, Rate& rate) {
  rate.perSecond = reader.F64();
  rate.burst = reader.F64();
  return std::isfinite(rate.perSecond) && std::isfinite(rate.burst) && rate.perSecond >= 0 && rate.burst >= 0;
}

constexpr uint8_t kIpv4Open = 1;
constexpr uint8_t kIpv6Open = 2;
constexpr uint8_t kPfc = 4;
constexpr uint8_t kAcfc = 8;
constexpr uint8_t kRules = 16;
constexpr uint8_t kRateFromPeer = 32;
constexpr uint8_t kRateToPeer = 64;
constexpr uint8_t kDscp = 128;

bool ReadLink(Reader& reader, LinkEntry& link, std::string& why) {
  link = {};
  link.call = reader.U16();
  const uint8_t flags = reader.U8();
  link.hasIpv4 = (flags & kIpv4Open) != 0;
  link.hasIpv6 = (flags & kIpv6Open) != 0;
  link.pfc = (flags & kPfc) != 0;
  link.acfc = (flags & kAcfc) != 0;
  if (link.hasIpv4) link.ipv4 = {reader.Sixteen(), 128};
  if (link.hasIpv6) link.ipv6 = {reader.Sixteen(), 64};
  link.mtuToPeer = reader.U16();
  link.mruFromPeer = reader.U16();
  link.routes.resize(reader.U8());
  for (Prefix& route : link.routes) route = reader.Network();
  link.hasRules = (flags & kRules) != 0;
  if (link.hasRules) link.rules.resize(reader.U16() & 0x1ff);
  for (PolicyRule& rule : link.rules) {
    rule.permit = reader.U8() != 0;
    rule.protocol = reader.U8();
    rule.prefix = reader.Network();
    rule.fromPort = reader.U16();
    rule.toPort = reader.U16();
    rule.accountingClass = reader.U8() & 3;
  }
  link.hasRateFromPeer = (flags & kRateFromPeer) != 0;
  link.hasRateToPeer = (flags & kRateToPeer) != 0;
  if ((link.hasRateFromPeer && !ReadRate(reader, link.rateFromPeer)) ||
      (link.hasRateToPeer && !ReadRate(reader, link.rateToPeer))) {
    why = "link: a rate is not a number";
    return false;
  }
  if ((flags & kDscp) != 0) link.dscp = reader.U8() & 0x3f;
  if (link.hasIpv4 && !link.ipv4.address.IsIpv4()) {
    why = "link: not an IPv4 address";
    return false;
  }
  // Under the IPv4-mapped prefix IPv6 routes would shadow every IPv4 one.
  if (link.hasIpv6 && link.ipv6.address.IsIpv4()) {
    why = "link: not an IPv6 prefix";
    return false;
  }
  return reader.ok();
}

}  // namespace

std::optional<Declaration> ReadDeclaration(const uint8_t* octets, size_t length, std::string& why) {
  why = "declaration: truncated";
  if (length > limits::kDeclaration) {
    why = "declaration: too long";
    return {};
  }
  Reader reader(octets, length);
  Declaration declaration;
  declaration.session = reader.U64();
  declaration.bucket = reader.U8();
  declaration.trace = reader.Text();
  declaration.entries = reader.Rest();
  if (!reader.ok()) return {};
  if (declaration.session == 0) {
    why = "declaration: no session";
    return {};
  }
  Entries entries;
  if (!ReadEntries(declaration.entries, entries, why)) return {};
  return declaration;
}

bool ReadEntries(const std::vector<uint8_t>& octets, Entries& entries, std::string& why) {
  Reader reader(octets.data(), octets.size());
  while (!reader.done()) {
    why = "entry: truncated";
    const uint8_t kind = reader.U8();
    bool good = true;
    if (kind == kSa) {
      good = ReadSa(reader, entries.sas.emplace_back(), why);
    } else if (kind == kCall) {
      good = ReadCall(reader, entries.calls.emplace_back(), why);
    } else if (kind == kLink) {
      good = ReadLink(reader, entries.links.emplace_back(), why);
    } else if (kind == kKeptSa) {
      entries.keptSas.push_back(reader.U32());
    } else if (kind == kKeptCall) {
      entries.keptCalls.push_back(reader.U16());
    } else if (kind == kKeptLink) {
      entries.keptLinks.push_back(reader.U16());
    } else if (kind != kNothing) {
      why = "entry: unknown kind";
      return false;
    }
    if (!good || !reader.ok()) return false;
  }
  return true;
}

std::optional<Policy> ReadPolicy(const uint8_t* octets, size_t length, std::string& why) {
  why = "policy: truncated";
  Reader reader(octets, length);
  Policy policy;
  const uint8_t flags = reader.U8();
  policy.clientToClient = (flags & 1) != 0;
  policy.hasGateway4 = (flags & 2) != 0;
  policy.outerMtu = reader.U16();
  if (policy.hasGateway4) reader.Octets(policy.gateway4, sizeof policy.gateway4);
  for (auto* prefixes : {&policy.pools, &policy.corporate}) {
    prefixes->resize(reader.U16());
    for (Prefix& prefix : *prefixes) prefix = reader.Network();
  }
  policy.localAddresses.resize(reader.U16());
  for (Address& address : policy.localAddresses) address = reader.Sixteen();
  if (!reader.ok() || !reader.done()) return {};
  return policy;
}

}  // namespace culvert
