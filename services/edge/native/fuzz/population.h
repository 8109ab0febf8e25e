// Sessions of every kind, always the same ones: each suite of ciphers, transport and tunnel mode, extended
// numbers, numbered data messages, rules, rates, routes.
#pragma once

#include <cstdint>
#include <vector>

#include "../engine/engine.h"

namespace culvert::fuzz {

constexpr size_t kSessions = 24;

struct Member {
  uint64_t session;
  // Changes its keys and SPIs.
  uint8_t generation;
  SaEntry sa;
  CallEntry call;
  LinkEntry link;

  std::vector<uint8_t> Declaration() const;
  std::vector<uint8_t> Gone() const;
};

Member MemberOf(size_t index, uint8_t generation);
// The member whose outbound SPI it is.
Member MemberBySpi(uint32_t outboundSpi);

Policy FixedPolicy();
EngineOptions FixedOptions(Account* account, Outlet* outlet);

// A client's side of ESP.
std::vector<uint8_t> Sealed(const SaEntry& sa, uint64_t sequence, uint8_t nextHeader,
                            const std::vector<uint8_t>& payload);
// The plaintext with its trailer; empty when the ICV does not hold.
std::vector<uint8_t> Opened(const SaEntry& sa, const uint8_t* packet, size_t length);

// UDP, L2TP and PPP around a packet of the member's client.
std::vector<uint8_t> Framed(const Member& member, const std::vector<uint8_t>& packet, uint16_t ns);

// Makes lengths, addresses and the IPv4 header checksum of a packet right; `toClient` says which address is
// the client's.
void MakeRight(std::vector<uint8_t>& packet, const Member& member, bool toClient);

}  // namespace culvert::fuzz
