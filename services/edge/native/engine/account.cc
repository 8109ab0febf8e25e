#include "account.h"

#include <algorithm>
#include <bit>

namespace culvert {

Account::Account(uint64_t* words, size_t sessions, size_t sas)
    : words_(words),
      sessions_(reinterpret_cast<SessionRow*>(words + kHeaderWords)),
      sas_(reinterpret_cast<SaRow*>(words + kHeaderWords + sessions * kSessionWords)),
      sessionCount_(sessions),
      saCount_(sas) {
  const uint64_t usedSessions = std::min<uint64_t>(Get(Counter::kSessionRows), sessions);
  const uint64_t usedSas = std::min<uint64_t>(Get(Counter::kSaRows), sas);
  for (uint32_t slot = 1; slot < usedSessions; slot++) {
    SessionRow& row = sessions_[slot];
    if (row.session != 0) {
      orphans_[row.session] = slot;
      nextSession_ = slot + 1;
    }
    // The engine may have died while it wrote.
    if (row.version % 2 == 1) row.version++;
  }
  for (uint32_t slot = 1; slot < nextSession_; slot++) {
    if (sessions_[slot].session == 0) FreeSession(slot);
  }
  std::fill_n(sas_, usedSas, SaRow{});
  Set(Counter::kSessionRows, nextSession_);
  Set(Counter::kSaRows, nextSa_);
}

void Account::DropOrphans() {
  for (const auto& [session, slot] : orphans_) FreeSession(slot);
  orphans_.clear();
}

void Account::CountLatency(uint64_t ns, uint64_t packets) {
  // Bucket i holds what took less than 2^i quarters of a microsecond.
  const size_t bucket = std::min<size_t>(std::bit_width(ns / 250), kLatencyBuckets - 1);
  Bump(&words_[kLatencyAt + bucket], packets);
}

uint32_t Account::TakeSession(uint64_t session) {
  if (const auto found = orphans_.find(session); found != orphans_.end()) {
    const uint32_t slot = found->second;
    orphans_.erase(found);
    return slot;
  }
  if (freeSession_ != 0) {
    const uint32_t slot = freeSession_;
    freeSession_ = static_cast<uint32_t>(sessions_[slot].spare[0]);
    sessions_[slot].spare[0] = 0;
    return slot;
  }
  if (nextSession_ >= sessionCount_) return 0;
  Set(Counter::kSessionRows, nextSession_ + 1);
  return nextSession_++;
}

void Account::FreeSession(uint32_t slot) {
  if (slot == 0) return;
  SessionRow& row = sessions_[slot];
  SessionRow empty{};
  empty.version = row.version + 1;
  empty.spare[0] = freeSession_;
  std::atomic_ref<uint64_t>(row.version).store(empty.version, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  row = empty;
  std::atomic_ref<uint64_t>(row.version).store(empty.version + 1, std::memory_order_release);
  freeSession_ = slot;
}

uint32_t Account::TakeSa() {
  if (freeSa_ != 0) {
    const uint32_t slot = freeSa_;
    freeSa_ = static_cast<uint32_t>(sas_[slot].top);
    sas_[slot].top = 0;
    return slot;
  }
  if (nextSa_ >= saCount_) return 0;
  Set(Counter::kSaRows, nextSa_ + 1);
  return nextSa_++;
}

void Account::FreeSa(uint32_t slot) {
  if (slot == 0) return;
  sas_[slot] = {0, 0, 0, freeSa_};
  freeSa_ = slot;
}

}  // namespace culvert
