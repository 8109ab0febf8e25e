// The engine as a JavaScript object: native/engine/engine.ts is its TypeScript face.
#pragma once

#include <napi.h>

namespace culvert {

void AddEngine(Napi::Env env, Napi::Object exports);

}  // namespace culvert
