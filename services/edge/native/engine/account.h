// Counters in shared memory: written by the one thread that owns an engine, read by any other at any time.
// native/engine/account.ts has the same numbers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <unordered_map>

#include "reasons.h"

namespace culvert {

// The engine's own words (64 bits each) stand in front of the rows.
enum class Counter : uint8_t {
  kEspIn,
  kEspOut,
  kKeepalives,
  kMoves,
  kIcvTruncated,
  kReceived,
  kSent,
  kSendFailed,
  kTunRead,
  kTunWritten,
  kTunFailed,
  kHandedOver,
  kHandOverFull,
  kControlFull,
  kMessagesIn,
  kMessagesOut,
  kBusyNs,
  kIdleNs,
  kQueueOctets,
  kQueueOctetsMax,
  kContextMisses,
  kSegmentedSends,
  kPublications,
  // How many rows have ever been in use: nobody need look further.
  kSessionRows,
  kSaRows,
  kCount,
};
constexpr size_t kLatencyBuckets = 24;  // bucket i: below 2^i microseconds / 4
constexpr size_t kDropsAt = 32;
constexpr size_t kLatencyAt = 96;
constexpr size_t kHeaderWords = 128;
static_assert(static_cast<size_t>(Counter::kCount) <= kDropsAt);
static_assert(kDropsAt + kDropReasons <= kLatencyAt);
static_assert(kLatencyAt + kLatencyBuckets <= kHeaderWords);

// A session's words. Version is odd while the row is being written; cells are live counters outside it.
struct SessionRow {
  uint64_t version;
  uint64_t session;  // 0: free
  uint64_t publication;  // number of the publication that wrote it last
  double lastInboundAt;  // negative: never
  uint64_t drops;
  uint32_t sas;
  uint32_t links;
  uint64_t hasEndpoint;
  uint8_t local[16];
  uint8_t remote[16];
  uint32_t localPort;
  uint32_t remotePort;
  uint64_t cells[32];
  uint64_t spare[4];
};
constexpr size_t kSessionWords = 48;
static_assert(sizeof(SessionRow) == kSessionWords * 8);

struct SaRow {
  uint32_t inboundSpi;  // 0: free
  uint32_t outboundSpi;
  uint64_t sessionSlot;
  uint64_t top;
};
constexpr size_t kSaWords = 3;
static_assert(sizeof(SaRow) == kSaWords * 8);

inline void Bump(uint64_t* word, uint64_t by = 1) {
  // One writer: a plain addition whose store cannot be torn.
  std::atomic_ref<uint64_t> cell(*word);
  cell.store(cell.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

// Hands out rows of one region; memory is the caller's and lives as long.
class Account {
 public:
  Account(uint64_t* words, size_t sessions, size_t sas);

  static constexpr size_t Words(size_t sessions, size_t sas) {
    return kHeaderWords + sessions * kSessionWords + sas * kSaWords;
  }

  void Count(Counter counter, uint64_t by = 1) { Bump(&words_[static_cast<size_t>(counter)], by); }
  void Set(Counter counter, uint64_t value) {
    std::atomic_ref<uint64_t>(words_[static_cast<size_t>(counter)]).store(value, std::memory_order_relaxed);
  }
  uint64_t Get(Counter counter) const { return words_[static_cast<size_t>(counter)]; }
  void CountDrop(Drop reason, uint64_t by = 1) { Bump(&words_[kDropsAt + static_cast<size_t>(reason)], by); }
  void CountLatency(uint64_t ns, uint64_t packets);

  // Row 0 is a sink for what finds no room: its cells are written and never read. A session that the memory
  // already knows, from an engine that is gone, goes on counting.
  uint32_t TakeSession(uint64_t session);
  // Sessions of an engine that is gone and that nobody has taken up again.
  void DropOrphans();
  void FreeSession(uint32_t slot);
  SessionRow& SessionAt(uint32_t slot) { return sessions_[slot]; }
  uint32_t TakeSa();
  void FreeSa(uint32_t slot);
  SaRow& SaAt(uint32_t slot) { return sas_[slot]; }

 private:
  uint64_t* words_;
  SessionRow* sessions_;
  SaRow* sas_;
  size_t sessionCount_;
  size_t saCount_;
  uint32_t nextSession_ = 1;
  uint32_t nextSa_ = 1;
  // Free rows are chained through a word of their own.
  uint32_t freeSession_ = 0;
  uint32_t freeSa_ = 0;
  std::unordered_map<uint64_t, uint32_t> orphans_;
};

}  // namespace culvert
