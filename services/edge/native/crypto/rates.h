// How fast a backend is: for the command that measures a machine.
#pragma once

#include "crypto.h"

namespace culvert::crypto {

struct Rates {
  double sealPerSecond;
  double openPerSecond;
  // Of this thread's CPU time, to expand the keys of one direction and to wipe them.
  double initNanoseconds;
};

// Packets per second of this thread's CPU time, `batch` of them in a call, with `octets` of plaintext rounded
// up to whole blocks. Takes about `milliseconds`.
Rates Measure(Backend& backend, Suite suite, size_t octets, size_t batch, uint32_t milliseconds);

}  // namespace culvert::crypto
