// Bounds of the engine: those of pipeline/limits.ts, and those of its memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "token_bucket.h"

namespace culvert::limits {

constexpr size_t kStalledPackets = 64;
constexpr double kStalledMs = 2000;

constexpr Rate kIkeSource{2000, 4000};
constexpr Rate kIkeFirstSource{250, 500};
constexpr Rate kIkeFirst{1000, 2000};
constexpr size_t kIkeSources = 4096;

constexpr Rate kL2tpControl{200, 400};
constexpr Rate kPppControl{100, 200};
constexpr Rate kLinkLocal{10, 20};
constexpr Rate kIcmp{10, 20};
constexpr Rate kMove{1, 4};

constexpr size_t kSasPerSession = 64;
constexpr size_t kCallsPerSession = 64;
constexpr size_t kMarks = 65536;

constexpr uint64_t kSequenceBlock = uint64_t{1} << 24;
// RFC 4303 §3.3.3; exclusive.
constexpr uint64_t kSequenceEnd = uint64_t{1} << 32;
// With extended numbers: what a JavaScript number still counts.
constexpr uint64_t kExtendedSequenceEnd = (uint64_t{1} << 53) - 1;

constexpr size_t kIpv4Tcp = 40;
constexpr size_t kIpv6Tcp = 60;

// A path that claims to take less is not believed (RFC 1191 §3, RFC 8200 §5); and for how long one is.
constexpr uint16_t kPathMtu = 576;
constexpr double kPathMtuMs = 600000;
// Paths asked for their MTU: one in so many milliseconds.
constexpr double kPathAskMs = 100;

// Jobs of one call to the cipher: enough to fill the lanes of a multi-buffer implementation four times.
constexpr size_t kJobs = 64;
// A declaration's octets.
constexpr size_t kDeclaration = 1 << 20;

}  // namespace culvert::limits
