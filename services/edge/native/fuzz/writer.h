// Declarations in octets, as native/engine/entries.ts writes them.
#pragma once

#include <cstring>
#include <vector>

#include "../engine/octets.h"
#include "../engine/rows.h"

namespace culvert::fuzz {

class Writer {
 public:
  void U8(unsigned value) { octets_.push_back(static_cast<uint8_t>(value)); }
  void U16(unsigned value) { Store16(Grown(2), static_cast<uint16_t>(value)); }
  void U32(uint32_t value) { Store32(Grown(4), value); }
  void U64(uint64_t value) { Store64(Grown(8), value); }
  void F64(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    U64(bits);
  }
  void Octets(const uint8_t* at, size_t length) { octets_.insert(octets_.end(), at, at + length); }
  void Sixteen(const Address& address) { Octets(address.octets, sizeof address.octets); }

  void Declare(uint64_t session, uint8_t bucket) {
    U64(session);
    U8(bucket);
    U8(1);
    U8('t');
  }
  void Sa(const SaEntry& sa) {
    U8(1);
    U32(sa.inboundSpi);
    U32(sa.outboundSpi);
    U8(static_cast<uint8_t>(sa.inbound.suite.cipher));
    U8(static_cast<uint8_t>(sa.inbound.suite.mac));
    U8((sa.udp ? 1u : 0u) | (sa.esn ? 2u : 0u) | (sa.selectors != nullptr ? 4u : 0u));
    for (const crypto::Keys* keys : {&sa.inbound, &sa.outbound}) {
      Octets(keys->encryption, crypto::KeyOctets(keys->suite.cipher));
      Octets(keys->integrity, crypto::MacKeyOctets(keys->suite.mac));
      if (crypto::IsGcm(keys->suite.cipher)) Octets(keys->salt, sizeof keys->salt);
    }
    Sixteen(sa.flow.local);
    U16(sa.flow.localPort);
    Sixteen(sa.flow.remote);
    U16(sa.flow.remotePort);
    U16(sa.selectorLocalPort);
    U16(sa.selectorRemotePort);
    F64(sa.createdAt);
    F64(sa.expiresAt);
    if (sa.selectors == nullptr) return;
    for (const auto* selectors : {&sa.selectors->local, &sa.selectors->remote}) {
      U8(static_cast<unsigned>(selectors->size()));
      for (const TrafficSelector& one : *selectors) {
        U8(one.protocol);
        Sixteen(one.from);
        Sixteen(one.to);
        U16(one.fromPort);
        U16(one.toPort);
      }
    }
  }
  void Call(const CallEntry& call) {
    U8(2);
    for (unsigned field : {call.ourTunnel, call.ourCall, call.theirTunnel, call.theirCall, call.localPort, call.remotePort}) {
      U16(field);
    }
    U8(call.sequencing ? 1 : 0);
  }
  void Link(const LinkEntry& link) {
    U8(3);
    U16(link.call);
    U8((link.hasIpv4 ? 1u : 0u) | (link.hasIpv6 ? 2u : 0u) | (link.pfc ? 4u : 0u) | (link.acfc ? 8u : 0u) |
       (link.hasRules ? 16u : 0u) | (link.hasRateFromPeer ? 32u : 0u) | (link.hasRateToPeer ? 64u : 0u) |
       (link.dscp >= 0 ? 128u : 0u));
    if (link.hasIpv4) Sixteen(link.ipv4.address);
    if (link.hasIpv6) Sixteen(link.ipv6.address);
    U16(link.mtuToPeer);
    U16(link.mruFromPeer);
    U8(static_cast<unsigned>(link.routes.size()));
    for (const Prefix& route : link.routes) Network(route);
    if (link.hasRules) {
      U16(static_cast<unsigned>(link.rules.size()));
      for (const PolicyRule& rule : link.rules) {
        U8(rule.permit ? 1 : 0);
        U8(rule.protocol);
        Network(rule.prefix);
        U16(rule.fromPort);
        U16(rule.toPort);
        U8(rule.accountingClass);
      }
    }
    for (const auto& [has, rate] : {std::pair{link.hasRateFromPeer, link.rateFromPeer}, {link.hasRateToPeer, link.rateToPeer}}) {
      if (!has) continue;
      F64(rate.perSecond);
      F64(rate.burst);
    }
    if (link.dscp >= 0) U8(static_cast<unsigned>(link.dscp));
  }
  const std::vector<uint8_t>& octets() const { return octets_; }

 private:
  void Network(const Prefix& prefix) {
    Sixteen(prefix.address);
    U8(prefix.bits);
  }
  uint8_t* Grown(size_t by) {
    octets_.resize(octets_.size() + by);
    return octets_.data() + octets_.size() - by;
  }
  std::vector<uint8_t> octets_;
};

}  // namespace culvert::fuzz
