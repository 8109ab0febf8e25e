// Forwarding entries as they cross from TypeScript: native/engine/entries.ts writes them, in this order of
// fields. What comes in is not trusted: it is read with every length and value checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rows.h"

namespace culvert {

// One record's entries for a session. What is kept stays as it is because
// its new form was refused.
struct Declaration {
  uint64_t session;
  uint8_t bucket;
  std::string trace;
  std::vector<uint8_t> entries;
};

struct Entries {
  std::vector<SaEntry> sas;
  std::vector<CallEntry> calls;
  std::vector<LinkEntry> links;
  std::vector<uint32_t> keptSas;
  std::vector<uint16_t> keptCalls;
  std::vector<uint16_t> keptLinks;
};

// Empty when it is malformed; `why` says how.
std::optional<Declaration> ReadDeclaration(const uint8_t* octets, size_t length, std::string& why);
// Adds what `octets` declares to `entries`.
bool ReadEntries(const std::vector<uint8_t>& octets, Entries& entries, std::string& why);

// What clients may reach (pipeline/ports.ts, EnginePolicy).
struct Policy {
  std::vector<Address> localAddresses;
  bool hasGateway4 = false;
  uint8_t gateway4[4] = {};
  std::vector<Prefix> pools;
  std::vector<Prefix> corporate;
  bool clientToClient = false;
  uint16_t outerMtu = 1500;
};
std::optional<Policy> ReadPolicy(const uint8_t* octets, size_t length, std::string& why);

}  // namespace culvert
