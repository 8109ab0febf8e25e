#include "crypto/face.h"
#include "edge_native.h"
#include "engine/face.h"

namespace {

// Macro-generated code wants an unqualified name.
Napi::Object Init(Napi::Env env, Napi::Object exports) {
  using namespace culvert;
  const auto add = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  add("openTun", OpenTun);
  add("openUdp", OpenUdp);
  add("openRawEsp", OpenRawEsp);
  add("boundPort", BoundPort);
  add("receiveBatch", ReceiveBatch);
  add("sendBatch", SendBatch);
  add("openEvent", OpenEvent);
  add("wakeEvent", WakeEvent);
  add("drainEvent", DrainEvent);
  add("pollReady", PollReady);
  add("closeDescriptor", CloseDescriptor);
  AddCrypto(env, exports);
  AddEngine(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(culvert_native, Init)
