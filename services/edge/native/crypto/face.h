#pragma once

#include <napi.h>

namespace culvert {

// What tests and the commands that examine a machine call; the engine uses crypto.h directly.
void AddCrypto(Napi::Env env, Napi::Object exports);

}  // namespace culvert
