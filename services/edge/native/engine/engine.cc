#include "engine.h"

#include <algorithm>

#include "octets.h"

namespace culvert {
namespace {
constexpr uint32_t kOrphanTicks = 240;
}

size_t Engine::AddressHash::operator()(const Address& address) const {
  return Mixed(Load64(address.octets) ^ Mixed(Load64(address.octets + 8)));
}

Engine::Engine(const EngineOptions& options)
    : options_(options),
      policy_(options.policy),
      local_(options.policy.localAddresses.begin(), options.policy.localAddresses.end()),
      contexts_(*options.backend),
      ivs_(options.ivPrefix, options.ivKey),
      sealer_(*options.backend, contexts_, ivs_, options.ivPrefix, options.segment),
      coalescer_(options.coalesce, options.coalesceUdp) {
  explicit_bzero(options_.ivKey, sizeof options_.ivKey);
  for (const auto& mark : options.past) {
    past_.push_back(mark);
    pastBySpi_[mark.first] = std::prev(past_.end());
  }
  options_.past.clear();
}

// Its rows in shared memory stay as they are: they say how far it had come, and its successor may have them.
Engine::~Engine() {
  sessions_.ForEach([&](uint64_t, Session* session) {
    for (Sa* sa : session->sas) DeleteSa(sa);
    for (Declared& declared : session->declared) explicit_bzero(declared.octets.data(), declared.octets.size());
    delete session;
  });
}

bool Engine::SetPolicy(const uint8_t* octets, size_t length, std::string& why) {
  std::optional<Policy> policy = ReadPolicy(octets, length, why);
  if (!policy) return false;
  policy_ = std::move(*policy);
  local_ = {policy_.localAddresses.begin(), policy_.localAddresses.end()};
  // Links forget the destinations that they may reach.
  policyVersion_++;
  trail_.Forget();
  return true;
}

void Engine::Flush() {
  sealer_.Seal();
  if (!sealer_.empty()) options_.outlet->ToPeers(sealer_.groups());
  sealer_.Clear();
  coalescer_.Finish([&](const SuperPacket& packet) { options_.outlet->ToTun(packet); });
  coalescer_.Clear();
  made_.clear();
}

void Engine::Tick(double at) {
  // By then the records have said which sessions there still are.
  if (++ticks_ == kOrphanTicks) account().DropOrphans();
  sas_.ForEach([&](uint32_t, Sa* sa) {
    if (sa->stalled == nullptr) return;
    while (!sa->stalled->empty() && at - sa->stalled->front().at > limits::kStalledMs) {
      sa->stalled->pop_front();
      CountDrop(Drop::kSequenceStalled, sa->session);
    }
    if (sa->stalled->empty()) sa->stalled.reset();
  });
}

// The only place where a packet ends without leaving.
void Engine::CountDrop(Drop reason, Session* session) {
  options_.account->CountDrop(reason);
  if (session == nullptr) return;
  session->drops++;
  Touch(*session);
}

void Engine::Touch(Session& session) {
  if (session.touched) return;
  session.touched = true;
  touched_.push_back(&session);
}

void Engine::CountUser(Session& session, bool toPeer, bool ipv6, uint8_t accountingClass, size_t octets,
                       uint64_t packets) {
  const size_t cell = ((toPeer ? 8u : 0u) + (ipv6 ? 4u : 0u) + accountingClass) * 2;
  Bump(&session.account[cell], packets);
  Bump(&session.account[cell + 1], octets);
  Touch(session);
}

void Engine::Publish(double at) {
  if (touched_.empty()) return;
  // Rows first: who reads the number finds all that it stands for.
  const uint64_t publication = account().Get(Counter::kPublications) + 1;
  for (Session* session : touched_) {
    session->touched = false;
    PublishRow(*session, publication, at);
  }
  touched_.clear();
  account().Set(Counter::kPublications, publication);
}

void Engine::PublishRow(Session& session, uint64_t publication, double at) {
  SessionRow& row = options_.account->SessionAt(session.accountSlot);
  std::atomic_ref<uint64_t> version(row.version);
  version.store(row.version + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  row.publication = publication;
  row.lastInboundAt = session.lastInboundAt;
  row.drops = session.drops;
  row.sas = static_cast<uint32_t>(session.sas.size());
  row.links = session.tunnelLink != nullptr ? 1 : 0;
  for (const auto& call : session.calls) row.links += call->link != nullptr ? 1 : 0;
  const Sa* sa = OutboundSa(session, false, at);
  if (sa == nullptr) sa = OutboundSa(session, true, at);
  row.hasEndpoint = sa != nullptr ? 1 : 0;
  if (sa != nullptr) {
    std::memcpy(row.local, sa->endpoint.local.octets, sizeof row.local);
    std::memcpy(row.remote, sa->endpoint.remote.octets, sizeof row.remote);
    row.localPort = sa->endpoint.localPort;
    row.remotePort = sa->endpoint.remotePort;
  }
  version.store(row.version + 1, std::memory_order_release);
}

}  // namespace culvert
