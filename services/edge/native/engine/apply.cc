// Makes the tables match what the records declare (pipeline/apply.ts): what stays keeps its state, and the
// order in which buckets speak does not matter.
#include <algorithm>
#include <cstring>

#include "engine.h"

namespace culvert {
namespace {

bool SameKeys(const crypto::Keys& a, const crypto::Keys& b) {
  return a.suite.cipher == b.suite.cipher && a.suite.mac == b.suite.mac &&
         std::memcmp(a.encryption, b.encryption, sizeof a.encryption) == 0 &&
         std::memcmp(a.integrity, b.integrity, sizeof a.integrity) == 0 &&
         std::memcmp(a.salt, b.salt, sizeof a.salt) == 0;
}

// The same keys: the replay window and the sequence numbers may go on.
bool SameSa(const SaEntry& a, const SaEntry& b) {
  return a.outboundSpi == b.outboundSpi && SameKeys(a.inbound, b.inbound) && SameKeys(a.outbound, b.outbound);
}

bool SameMode(const SaEntry& a, const SaEntry& b) {
  return a.esn == b.esn && (a.selectors != nullptr) == (b.selectors != nullptr);
}

bool SameRate(bool hadA, const Rate& a, bool hadB, const Rate& b) {
  return hadA == hadB && (!hadA || (a.perSecond == b.perSecond && a.burst == b.burst));
}

}  // namespace

bool Engine::Declare(const uint8_t* octets, size_t length, double at, std::string& why) {
  std::optional<Declaration> declaration = ReadDeclaration(octets, length, why);
  if (!declaration) return false;
  trail_.Forget();
  Session* session = sessions_.Find(declaration->session);
  if (session == nullptr) {
    session = new Session{};
    session->id = declaration->session;
    session->accountSlot = options_.account->TakeSession(session->id);
    SessionRow& row = options_.account->SessionAt(session->accountSlot);
    session->account = row.cells;
    if (session->accountSlot != 0 && row.session == session->id) {
      // From an engine that is gone: what it knew goes on too.
      session->drops = row.drops;
      session->lastInboundAt = row.lastInboundAt;
    } else {
      row.lastInboundAt = session->lastInboundAt;
    }
    std::atomic_ref<uint64_t>(row.session).store(session->id, std::memory_order_release);
    session->control = TokenBucket::Full(limits::kL2tpControl, at);
    session->icmp = TokenBucket::Full(limits::kIcmp, at);
    session->moves = TokenBucket::Full(limits::kMove, at);
    sessions_.Set(session->id, session);
  }
  auto& declared = session->declared;
  const auto present =
      std::find_if(declared.begin(), declared.end(), [&](const Declared& one) { return one.bucket == declaration->bucket; });
  if (declaration->entries.empty()) {
    if (present != declared.end()) {
      explicit_bzero(present->octets.data(), present->octets.size());
      declared.erase(present);
    }
  } else if (present != declared.end()) {
    explicit_bzero(present->octets.data(), present->octets.size());
    present->trace = std::move(declaration->trace);
    present->octets = std::move(declaration->entries);
    present->octets.shrink_to_fit();
  } else {
    declared.push_back({declaration->bucket, std::move(declaration->trace), std::move(declaration->entries)});
    declared.back().octets.shrink_to_fit();
  }
  for (const Declared& one : declared) {
    if (one.trace.empty()) continue;
    session->trace = one.trace;
    break;
  }
  Touch(*session);
  Apply(*session, at);
  if (!declared.empty()) return true;
  sessions_.Erase(session->id);
  if (session->touched) std::erase(touched_, session);
  options_.account->FreeSession(session->accountSlot);
  delete session;
  return true;
}

void Engine::Apply(Session& session, double at) {
  Entries entries;
  std::string why;
  // Read before, when it was declared; what cannot be read never got here.
  for (const Declared& one : session.declared) ReadEntries(one.octets, entries, why);
  ReconcileSas(session, entries.sas, entries.keptSas);
  ReconcileCalls(session, entries.calls, entries.keptCalls, at);
  ReconcileLinks(session, entries.links, entries.keptLinks, at);
  for (Sa* sa : session.sas) {
    // Numbers are asked for when an SA appears, so that its first packet does not wait for them.
    if (NeedsMore(*sa)) WantSequence(*sa);
  }
}

void Engine::Refuse(const Session& session, const std::string& why) {
  records_.Begin(RecordKind::kEntryRefused);
  records_.U64(session.id);
  records_.Text(why);
  records_.End();
}

void Engine::ReconcileSas(Session& session, std::vector<SaEntry>& wanted, const std::vector<uint32_t>& kept) {
  if (wanted.size() > limits::kSasPerSession) {
    Refuse(session, "too many SAs");
    wanted.resize(limits::kSasPerSession);
  }
  for (Sa* sa : session.sas) sa->kept = std::find(kept.begin(), kept.end(), sa->entry.inboundSpi) != kept.end();
  std::vector<Sa*> staying;
  for (Sa* sa : session.sas) {
    if (sa->kept) staying.push_back(sa);
  }
  for (SaEntry& entry : wanted) {
    Sa* present = sas_.Find(entry.inboundSpi);
    if (present != nullptr && present->session == &session && SameSa(present->entry, entry)) {
      if (!present->kept) staying.push_back(present);
      present->kept = true;
      // A new row would number from the start again, under the same keys (INV-3).
      if (!SameMode(present->entry, entry)) {
        Refuse(session, "SA changes its mode under the same keys");
        continue;
      }
      // The client has floated to another port in IKE; what NAT rebinding showed since stays otherwise.
      if (!(entry.flow == present->entry.flow)) present->endpoint = entry.flow;
      present->entry = std::move(entry);
    } else if (present != nullptr && present->session != &session) {
      Refuse(session, "inbound SPI belongs to another session");
    } else {
      staying.push_back(NewSa(session, entry));
      staying.back()->kept = true;
    }
  }
  // Packets that wait to be sealed have its keys.
  if (std::any_of(session.sas.begin(), session.sas.end(), [](const Sa* sa) { return !sa->kept; })) sealer_.Seal();
  for (Sa* sa : session.sas) {
    if (sa->kept) continue;
    Remember(*sa);
    RemoveSa(sa);
  }
  // All of them: one that goes may have had the same SPI as one that stays.
  for (Sa* sa : staying) sas_.Set(sa->entry.inboundSpi, sa);
  std::stable_sort(staying.begin(), staying.end(),
                   [](const Sa* a, const Sa* b) { return a->entry.createdAt > b->entry.createdAt; });
  session.sas = std::move(staying);
  session.sas.shrink_to_fit();
}

Sa* Engine::NewSa(Session& session, SaEntry& entry) {
  const Mark* mark = Recall(entry);
  Sa* sa = new Sa{.session = &session,
                  .entry = std::move(entry),
                  .endpoint = {},
                  .window = ReplayWindow(options_.replayWindow, mark == nullptr ? 0 : mark->top),
                  .sequence = {},
                  .opening = {},
                  .sealing = {},
                  .stalled = nullptr,
                  .icvOctets = 0};
  sa->endpoint = sa->entry.flow;
  if (mark != nullptr) {
    sa->sequence.next = sa->sequence.end = mark->next;
    sa->sequence.firstSealed = mark->first;
  }
  if (sa->suite().mac != crypto::Mac::kHmacSha256_128) sa->icvOctets = static_cast<uint8_t>(crypto::IcvOctets(sa->suite()));
  sa->accountSlot = options_.account->TakeSa();
  SaRow& row = options_.account->SaAt(sa->accountSlot);
  row.outboundSpi = sa->entry.outboundSpi;
  row.sessionSlot = session.accountSlot;
  row.top = sa->window.top();
  std::atomic_ref<uint32_t>(row.inboundSpi).store(sa->entry.inboundSpi, std::memory_order_release);
  return sa;
}

void Engine::RemoveSa(Sa* sa) {
  sas_.Erase(sa->entry.inboundSpi);
  options_.account->FreeSa(sa->accountSlot);
  DeleteSa(sa);
}

void Engine::DeleteSa(Sa* sa) {
  contexts_.Release(sa->opening);
  contexts_.Release(sa->sealing);
  explicit_bzero(&sa->entry.inbound, sizeof sa->entry.inbound);
  explicit_bzero(&sa->entry.outbound, sizeof sa->entry.outbound);
  delete sa;
}

void Engine::ReconcileCalls(Session& session, const std::vector<CallEntry>& wanted,
                            const std::vector<uint16_t>& kept, double at) {
  if (wanted.size() > limits::kCallsPerSession) Refuse(session, "too many calls");
  std::vector<std::unique_ptr<Call>> calls;
  const size_t most = std::min(wanted.size(), limits::kCallsPerSession);
  for (size_t i = 0; i < most; i++) {
    const CallEntry& entry = wanted[i];
    const auto sameCall = [&](const std::unique_ptr<Call>& one) {
      return one != nullptr && one->entry.ourCall == entry.ourCall;
    };
    const auto present = std::find_if(session.calls.begin(), session.calls.end(), sameCall);
    std::unique_ptr<Call> row;
    if (present != session.calls.end() && (*present)->entry.ourTunnel == entry.ourTunnel &&
        (*present)->entry.theirTunnel == entry.theirTunnel && (*present)->entry.theirCall == entry.theirCall) {
      row = std::move(*present);
      row->entry = entry;
    } else {
      row = std::make_unique<Call>();
      row->session = &session;
      row->entry = entry;
      row->control = TokenBucket::Full(limits::kPppControl, at);
      row->linkLocal = TokenBucket::Full(limits::kLinkLocal, at);
    }
    const auto twice = std::find_if(calls.begin(), calls.end(), sameCall);
    if (twice == calls.end()) {
      calls.push_back(std::move(row));
    } else {
      if ((*twice)->link != nullptr) RemoveRoutes(*(*twice)->link);
      *twice = std::move(row);
    }
  }
  for (auto& old : session.calls) {
    if (old == nullptr) continue;
    if (std::find(kept.begin(), kept.end(), old->entry.ourCall) != kept.end()) {
      calls.push_back(std::move(old));
    } else if (old->link != nullptr) {
      RemoveRoutes(*old->link);
    }
  }
  session.calls = std::move(calls);
}

void Engine::ReconcileLinks(Session& session, std::vector<LinkEntry>& wanted, const std::vector<uint16_t>& kept,
                            double at) {
  const auto place = [&](uint16_t call) -> std::unique_ptr<Link>* {
    if (call == 0) return &session.tunnelLink;
    Call* row = session.FindCall(call);
    return row == nullptr ? nullptr : &row->link;
  };
  const auto isKept = [&](uint16_t call) { return std::find(kept.begin(), kept.end(), call) != kept.end(); };
  // Rows that give way, by call: their buckets go on where the rates are the same.
  std::vector<std::unique_ptr<Link>> old;
  const auto giveWay = [&](std::unique_ptr<Link>& link) {
    if (link == nullptr || isKept(link->entry.call)) return;
    RemoveRoutes(*link);
    old.push_back(std::move(link));
  };
  giveWay(session.tunnelLink);
  for (const auto& call : session.calls) giveWay(call->link);
  const auto formerOf = [&](uint16_t call) -> std::unique_ptr<Link>* {
    for (auto& link : old) {
      if (link != nullptr && link->entry.call == call) return &link;
    }
    return nullptr;
  };
  for (LinkEntry& entry : wanted) {
    // A link whose call is not there (yet) waits in what was declared.
    std::unique_ptr<Link>* const slot = place(entry.call);
    if (slot == nullptr) continue;
    const uint16_t call = entry.call;
    std::unique_ptr<Link>* former = formerOf(call);
    auto link = std::make_unique<Link>();
    link->session = &session;
    link->call = session.FindCall(call);
    link->entry = std::move(entry);
    link->fromPeer = TokenBucket::Full(link->entry.rateFromPeer, at);
    link->toPeer = TokenBucket::Full(link->entry.rateToPeer, at);
    link->linkLocal = TokenBucket::Full(limits::kLinkLocal, at);
    if (former != nullptr) {
      const LinkEntry& was = (*former)->entry;
      const LinkEntry& is = link->entry;
      if (SameRate(was.hasRateFromPeer, was.rateFromPeer, is.hasRateFromPeer, is.rateFromPeer)) {
        link->fromPeer = (*former)->fromPeer;
      }
      if (SameRate(was.hasRateToPeer, was.rateToPeer, is.hasRateToPeer, is.rateToPeer)) link->toPeer = (*former)->toPeer;
      link->linkLocal = (*former)->linkLocal;
    }
    if (*slot == nullptr && AddRoutes(*link)) {
      *slot = std::move(link);
      continue;
    }
    Refuse(session, "address or call is taken by another link");
    // What was there before stays, if its addresses are still free.
    if (*slot == nullptr && former != nullptr && AddRoutes(**former)) *slot = std::move(*former);
  }
}

bool Engine::AddRoutes(Link& link) {
  std::vector<Prefix> prefixes = link.entry.routes;
  if (link.entry.hasIpv4) prefixes.push_back(link.entry.ipv4);
  if (link.entry.hasIpv6) prefixes.push_back(link.entry.ipv6);
  for (const Prefix& prefix : prefixes) {
    const Route present = routes_.At(prefix);
    if (present.link() != nullptr && present.link() != &link) return false;
  }
  for (const Prefix& prefix : prefixes) routes_.Set(prefix, Route(&link));
  return true;
}

void Engine::RemoveRoutes(const Link& link) {
  const auto remove = [&](const Prefix& prefix) {
    if (routes_.At(prefix).link() == &link) routes_.Erase(prefix);
  };
  for (const Prefix& prefix : link.entry.routes) remove(prefix);
  if (link.entry.hasIpv4) remove(link.entry.ipv4);
  if (link.entry.hasIpv6) remove(link.entry.ipv6);
}

void Engine::Elsewhere(const Prefix& prefix, int worker) {
  const Route present = routes_.At(prefix);
  if (present.link() != nullptr) return;
  if (worker < 0) {
    routes_.Erase(prefix);
  } else {
    routes_.Set(prefix, Route::Elsewhere(static_cast<uint32_t>(worker)));
  }
}

void Engine::Remember(const Sa& sa) {
  const uint32_t spi = sa.entry.inboundSpi;
  if (const auto found = pastBySpi_.find(spi); found != pastBySpi_.end()) {
    past_.erase(found->second);
    pastBySpi_.erase(found);
  }
  if (pastBySpi_.size() >= limits::kMarks) {
    pastBySpi_.erase(past_.front().first);
    past_.pop_front();
  }
  past_.push_back({spi, {sa.entry.outboundSpi, sa.window.top(), sa.sequence.next, sa.sequence.firstSealed}});
  pastBySpi_[spi] = std::prev(past_.end());
}

// Another SA that happens to have the SPI has other keys and, but for chance, another peer's SPI.
const Mark* Engine::Recall(const SaEntry& entry) const {
  const auto found = pastBySpi_.find(entry.inboundSpi);
  if (found == pastBySpi_.end() || found->second->second.outboundSpi != entry.outboundSpi) return nullptr;
  return &found->second->second;
}

}  // namespace culvert
