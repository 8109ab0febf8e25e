#include "face.h"

#include <algorithm>
#include <memory>
#include <string>

#include "../edge_native.h"
#include "engine.h"
#include "loop.h"
#include "octets.h"

namespace culvert {
namespace {

uint64_t SessionOf(const Napi::CallbackInfo& info, size_t index) {
  const std::string digits = StringArgument(info, index, 16, "session");
  char* end = nullptr;
  const uint64_t value = std::strtoull(digits.c_str(), &end, 16);
  if (digits.size() != 16 || end != digits.c_str() + digits.size()) {
    throw Napi::RangeError::New(info.Env(), "session must be 16 hexadecimal digits");
  }
  return value;
}

double NumberArgument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (index >= info.Length() || !info[index].IsNumber()) {
    throw Napi::TypeError::New(info.Env(), std::string(name) + " must be a number");
  }
  return info[index].As<Napi::Number>().DoubleValue();
}

Flow ReadFlow(const uint8_t* at) {
  return {Address::Of(at), Address::Of(at + 18), Load16(at + 16), Load16(at + 34)};
}
constexpr size_t kFlowOctets = 36;

// Packets into records, where there are no sockets.
class Capture : public Outlet {
 public:
  void Drive(Engine& engine) { engine_ = &engine; }
  void ToTun(const SuperPacket& packet) override {
    Records& records = engine_->records();
    records.Begin(RecordKind::kInner);
    records.Octets(packet.octets, packet.length);
    records.End();
  }
  void ToPeers(const std::vector<Group>& groups) override {
    Records& records = engine_->records();
    for (const Group& group : groups) {
      for (uint32_t at = 0; at < group.length; at += group.segment) {
        records.Begin(RecordKind::kOuter);
        records.U8(group.udp ? 1 : 0);
        records.U8(group.tos);
        records.Path(group.flow);
        records.Octets(group.octets + at, std::min(group.segment, group.length - at));
        records.End();
      }
    }
  }

 private:
  Engine* engine_ = nullptr;
};

class EngineFace : public Napi::ObjectWrap<EngineFace> {
 public:
  static void Define(Napi::Env env, Napi::Object exports) {
    exports.Set("Engine", DefineClass(env, "Engine",
                                      {InstanceMethod("declare", &EngineFace::Declare),
                                       InstanceMethod("grant", &EngineFace::Grant),
                                       InstanceMethod("setPolicy", &EngineFace::SetPolicy),
                                       InstanceMethod("outer", &EngineFace::Outer),
                                       InstanceMethod("inner", &EngineFace::Inner),
                                       InstanceMethod("l2tp", &EngineFace::L2tp),
                                       InstanceMethod("ppp", &EngineFace::Ppp),
                                       InstanceMethod("tick", &EngineFace::Tick),
                                       InstanceMethod("publish", &EngineFace::Publish),
                                       InstanceMethod("unrouted", &EngineFace::Unrouted),
                                       InstanceMethod("elsewhere", &EngineFace::Elsewhere),
                                       InstanceMethod("takeRecords", &EngineFace::TakeRecords),
                                       InstanceMethod("run", &EngineFace::Run),
                                       InstanceMethod("send", &EngineFace::Send),
                                       InstanceAccessor<&EngineFace::BackendName>("backend")}));
  }

  // Engine({ backend, ivPrefix, ivKey, policy, replayWindow, account, sessionsMax, sasMax, past, coalesce,
  // coalesceUdp, segment })
  explicit EngineFace(const Napi::CallbackInfo& info) : Napi::ObjectWrap<EngineFace>(info) {
    const Napi::Env env = info.Env();
    if (info.Length() < 1 || !info[0].IsObject()) throw Napi::TypeError::New(env, "options must be an object");
    const Napi::Object given = info[0].As<Napi::Object>();
    const auto octets = [&](const char* name) {
      const Napi::Value value = given.Get(name);
      if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
        throw Napi::TypeError::New(env, std::string(name) + " must be a Uint8Array");
      }
      auto array = value.As<Napi::Uint8Array>();
      return Octets{array.Data(), array.ByteLength()};
    };
    const auto number = [&](const char* name, double least, double most) {
      const Napi::Value value = given.Get(name);
      const double found = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
      if (!(found >= least && found <= most)) throw Napi::RangeError::New(env, std::string(name) + " is out of range");
      return found;
    };
    const auto flag = [&](const char* name) { return given.Get(name).ToBoolean().Value(); };

    std::string why;
    backend_ = crypto::NewBackend(given.Get("backend").ToString().Utf8Value().c_str(), why);
    if (backend_ == nullptr) throw Napi::Error::New(env, "no usable cipher: " + why);
    EngineOptions options{};
    options.backend = backend_.get();
    options.ivPrefix = static_cast<uint32_t>(number("ivPrefix", 0, UINT32_MAX));
    const Octets key = octets("ivKey");
    if (key.length != sizeof options.ivKey) throw Napi::RangeError::New(env, "ivKey must have 32 octets");
    std::copy_n(key.data, key.length, options.ivKey);
    const Octets policy = octets("policy");
    std::optional<Policy> read = ReadPolicy(policy.data, policy.length, why);
    if (!read) throw Napi::RangeError::New(env, why);
    options.policy = std::move(*read);
    options.replayWindow = static_cast<uint32_t>(number("replayWindow", 64, 65536));
    const size_t sessions = static_cast<size_t>(number("sessionsMax", 1, 1 << 24));
    const size_t sas = static_cast<size_t>(number("sasMax", 1, 1 << 24));
    const Octets account = octets("account");
    if (account.length < Account::Words(sessions, sas) * 8 || reinterpret_cast<uintptr_t>(account.data) % 8 != 0) {
      throw Napi::RangeError::New(env, "account is too small");
    }
    // The memory is JavaScript's; it must not go while the engine is there.
    accountMemory_ = Napi::Persistent(given.Get("account").As<Napi::Object>());
    account_ = std::make_unique<Account>(reinterpret_cast<uint64_t*>(account.data), sessions, sas);
    options.account = account_.get();
    const Octets past = octets("past");
    for (size_t at = 0; at + 24 <= past.length; at += 24) {
      options.past.push_back(
          {Load32(past.data + at), {Load32(past.data + at + 4), Load64(past.data + at + 8), Load64(past.data + at + 16)}});
    }
    options.coalesce = flag("coalesce");
    options.coalesceUdp = flag("coalesceUdp");
    options.segment = flag("segment");
    if (given.Has("loop")) {
      loop_ = std::make_unique<Loop>(ReadLoop(env, given.Get("loop").As<Napi::Object>()));
      options.outlet = loop_.get();
    } else {
      options.outlet = &capture_;
    }
    engine_ = std::make_unique<Engine>(options);
    explicit_bzero(options.ivKey, sizeof options.ivKey);
    capture_.Drive(*engine_);
    if (loop_ != nullptr) loop_->Drive(*engine_);
  }

 private:
  // { index, workers, tun, event, events, epochMs, rings, ringOctets, sockets: [{ fd, via, listener, ipv6, local, port, every }] }
  LoopOptions ReadLoop(Napi::Env env, const Napi::Object& given) {
    LoopOptions options;
    options.index = given.Get("index").ToNumber().Uint32Value();
    options.workers = given.Get("workers").ToNumber().Uint32Value();
    options.tun = given.Get("tun").ToNumber().Int32Value();
    options.event = given.Get("event").ToNumber().Int32Value();
    options.epochMs = given.Get("epochMs").ToNumber().DoubleValue();
    if (options.workers < 1 || options.workers > 256 || options.index >= options.workers) {
      throw Napi::RangeError::New(env, "worker index is out of range");
    }
    const auto events = given.Get("events").As<Napi::Array>();
    for (uint32_t i = 0; i < events.Length(); i++) options.events.push_back(events.Get(i).ToNumber().Int32Value());
    if (options.events.size() != options.workers) throw Napi::RangeError::New(env, "an event a worker");
    const auto sockets = given.Get("sockets").As<Napi::Array>();
    if (sockets.Length() > 64) throw Napi::RangeError::New(env, "too many sockets");
    for (uint32_t i = 0; i < sockets.Length(); i++) {
      const auto one = sockets.Get(i).As<Napi::Object>();
      auto local = one.Get("local").As<Napi::Uint8Array>();
      if (local.ByteLength() != kAddressOctets) throw Napi::RangeError::New(env, "local must have 16 octets");
      options.sockets.push_back({one.Get("fd").ToNumber().Int32Value(),
                                 static_cast<Via>(std::min(one.Get("via").ToNumber().Uint32Value(), 2u)),
                                 static_cast<uint8_t>(one.Get("listener").ToNumber().Uint32Value()),
                                 one.Get("ipv6").ToBoolean().Value(), Address::Of(local.Data()),
                                 static_cast<uint16_t>(one.Get("port").ToNumber().Uint32Value()),
                                 one.Get("every").ToBoolean().Value()});
    }
    options.to.resize(options.workers);
    options.from.resize(options.workers);
    if (options.workers > 1) {
      auto rings = given.Get("rings").As<Napi::Uint8Array>();
      ringMemory_ = Napi::Persistent(rings.As<Napi::Object>());
      const size_t size = given.Get("ringOctets").ToNumber().Uint32Value();
      if ((size & (size - 1)) != 0 || size < 4096 || rings.ByteLength() < size * options.workers * options.workers) {
        throw Napi::RangeError::New(env, "rings are too small");
      }
      // Ring (a, b) carries what a hands to b.
      for (uint32_t other = 0; other < options.workers; other++) {
        if (other == options.index) continue;
        options.to[other] = std::make_unique<Ring>(rings.Data() + (options.index * options.workers + other) * size, size);
        options.from[other] = std::make_unique<Ring>(rings.Data() + (other * options.workers + options.index) * size, size);
      }
    }
    return options;
  }

  // declare(octets, at): why it was refused, or undefined.
  Napi::Value Declare(const Napi::CallbackInfo& info) {
    const Octets octets = OctetsArgument(info, 0, "declaration");
    std::string why;
    if (engine_->Declare(octets.data, octets.length, NumberArgument(info, 1, "at"), why)) return info.Env().Undefined();
    return Napi::String::New(info.Env(), why);
  }

  Napi::Value Grant(const Napi::CallbackInfo& info) {
    const double first = NumberArgument(info, 1, "first");
    const double end = NumberArgument(info, 2, "end");
    const auto within = [](double value) { return value >= 0 && value <= 9007199254740991.0; };
    if (!within(first) || !within(end)) throw Napi::RangeError::New(info.Env(), "sequence is out of range");
    engine_->Grant(static_cast<uint32_t>(NumberArgument(info, 0, "inboundSpi")), static_cast<uint64_t>(first),
                   static_cast<uint64_t>(end), NumberArgument(info, 3, "at"));
    FlushCapture();
    return info.Env().Undefined();
  }

  Napi::Value SetPolicy(const Napi::CallbackInfo& info) {
    const Octets octets = OctetsArgument(info, 0, "policy");
    std::string why;
    if (engine_->SetPolicy(octets.data, octets.length, why)) return info.Env().Undefined();
    return Napi::String::New(info.Env(), why);
  }

  // outer(packets, at): each is via, listener, tos (octets), flow (36 octets), length (32 bits), octets.
  Napi::Value Outer(const Napi::CallbackInfo& info) {
    const Octets given = OctetsArgument(info, 0, "packets");
    const double at = NumberArgument(info, 1, "at");
    // What is opened in place has room for the tun's header in front.
    std::vector<uint8_t> memory(given.data, given.data + given.length);
    std::vector<OuterPacket> packets;
    std::vector<Flow> flows;
    constexpr size_t kHead = 3 + kFlowOctets + 4;
    flows.reserve(memory.size() / kHead + 1);
    for (size_t next = 0; next + kHead <= memory.size();) {
      uint8_t* head = memory.data() + next;
      flows.push_back(ReadFlow(head + 3));
      const uint32_t length = Load32(head + 3 + kFlowOctets);
      if (length > memory.size() - next - kHead) throw Napi::RangeError::New(info.Env(), "a packet is cut off");
      packets.push_back({head + kHead, length, &flows.back(), static_cast<Via>(std::min<uint8_t>(head[0], 2)), head[1], head[2]});
      next += kHead + length;
    }
    engine_->Outer(packets.data(), packets.size(), at);
    FlushCapture();
    return info.Env().Undefined();
  }

  // inner(packet, at [, segment]): -2 for nobody's, -1 for a link of ours, else the worker that has it.
  Napi::Value Inner(const Napi::CallbackInfo& info) {
    const Octets given = OctetsArgument(info, 0, "packet");
    std::vector<uint8_t> memory(given.data, given.data + given.length);
    Offload offload;
    if (info.Length() > 2) offload.segment = static_cast<uint16_t>(IntArgument(info, 2, 0, 65535, "segment"));
    const Route route = engine_->Inner(memory.data(), memory.size(), offload, NumberArgument(info, 1, "at"));
    FlushCapture();
    return Napi::Number::New(info.Env(), route.empty() ? -2 : route.worker());
  }

  Napi::Value L2tp(const Napi::CallbackInfo& info) {
    const Octets message = OctetsArgument(info, 3, "message");
    engine_->L2tp(SessionOf(info, 0), static_cast<uint16_t>(IntArgument(info, 1, 0, 65535, "localPort")),
                  static_cast<uint16_t>(IntArgument(info, 2, 0, 65535, "remotePort")), message.data, message.length,
                  NumberArgument(info, 4, "at"));
    FlushCapture();
    return info.Env().Undefined();
  }

  Napi::Value Ppp(const Napi::CallbackInfo& info) {
    const Octets frame = OctetsArgument(info, 2, "frame");
    engine_->Ppp(SessionOf(info, 0), static_cast<uint16_t>(IntArgument(info, 1, 0, 65535, "call")), frame.data,
                 frame.length, NumberArgument(info, 3, "at"));
    FlushCapture();
    return info.Env().Undefined();
  }

  Napi::Value Tick(const Napi::CallbackInfo& info) {
    engine_->Tick(NumberArgument(info, 0, "at"));
    return info.Env().Undefined();
  }

  Napi::Value Publish(const Napi::CallbackInfo& info) {
    engine_->Publish(NumberArgument(info, 0, "at"));
    return info.Env().Undefined();
  }

  Napi::Value Unrouted(const Napi::CallbackInfo& info) {
    engine_->CountUnrouted();
    return info.Env().Undefined();
  }

  // elsewhere(address16, bits, worker): worker -1 forgets the prefix.
  Napi::Value Elsewhere(const Napi::CallbackInfo& info) {
    const Octets address = OctetsArgument(info, 0, "address");
    if (address.length != kAddressOctets) throw Napi::RangeError::New(info.Env(), "address must have 16 octets");
    const Prefix prefix{Address::Of(address.data), static_cast<uint8_t>(IntArgument(info, 1, 0, 128, "bits"))};
    engine_->Elsewhere(prefix, IntArgument(info, 2, -1, 255, "worker"));
    return info.Env().Undefined();
  }

  // Everything since the last call, or undefined.
  Napi::Value TakeRecords(const Napi::CallbackInfo& info) {
    Records& records = engine_->records();
    if (records.empty()) return info.Env().Undefined();
    const size_t size = records.octets().size();
    Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(info.Env(), size);
    std::copy_n(records.octets().data(), size, static_cast<uint8_t*>(buffer.Data()));
    records.Clear();
    return Napi::Uint8Array::New(info.Env(), size, buffer, 0);
  }

  // run(maxMs): true when a command waits.
  Napi::Value Run(const Napi::CallbackInfo& info) {
    if (loop_ == nullptr) throw Napi::Error::New(info.Env(), "an engine without sockets does not run");
    try {
      return Napi::Boolean::New(info.Env(), loop_->Run(NumberArgument(info, 0, "maxMs")));
    } catch (const std::exception& fault) {
      throw Napi::Error::New(info.Env(), fault.what());
    }
  }

  // send(flow, datagram)
  Napi::Value Send(const Napi::CallbackInfo& info) {
    if (loop_ == nullptr) throw Napi::Error::New(info.Env(), "an engine without sockets does not send");
    const Octets flow = OctetsArgument(info, 0, "flow");
    if (flow.length != kFlowOctets) throw Napi::RangeError::New(info.Env(), "flow must have 36 octets");
    const Octets datagram = OctetsArgument(info, 1, "datagram");
    loop_->Send(ReadFlow(flow.data), datagram.data, datagram.length);
    return info.Env().Undefined();
  }

  Napi::Value BackendName(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), backend_->name()); }

  void FlushCapture() {
    if (loop_ == nullptr) engine_->Flush();
  }

  Napi::ObjectReference accountMemory_;
  Napi::ObjectReference ringMemory_;
  std::unique_ptr<crypto::Backend> backend_;
  std::unique_ptr<Account> account_;
  Capture capture_;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace

void AddEngine(Napi::Env env, Napi::Object exports) { EngineFace::Define(env, exports); }

}  // namespace culvert
