// What the files of the addon share: arguments that are checked, and errors that name the system call.
#pragma once

#include <napi.h>

#include <cerrno>
#include <cstdint>
#include <string>

namespace culvert {

// One row of batch metadata, in 32-bit words: offset, length, port of the peer, flags or errno, the peer's
// address and our own (16 octets each, IPv4 mapped). The TypeScript face has the same numbers.
constexpr size_t kRowWords = 12;
constexpr size_t kBatchMax = 64;
constexpr int32_t kTruncated = 1;

struct Row {
  int32_t offset;
  int32_t length;
  int32_t port;
  int32_t mark;
  uint8_t remote[16];
  uint8_t local[16];
};
static_assert(sizeof(Row) == kRowWords * sizeof(int32_t));

// A JavaScript Error with `syscall`, `errno` and `code`, as Node's own system errors have.
[[noreturn]] void ThrowErrno(Napi::Env env, const char* syscall, int error);

int32_t IntArgument(const Napi::CallbackInfo& info, size_t index, int32_t least, int32_t most, const char* name);
bool BoolArgument(const Napi::CallbackInfo& info, size_t index, const char* name);
std::string StringArgument(const Napi::CallbackInfo& info, size_t index, size_t most, const char* name);

// Caller-owned memory: a view that lives as long as the call.
struct Octets {
  uint8_t* data;
  size_t length;
};
Octets OctetsArgument(const Napi::CallbackInfo& info, size_t index, const char* name);

struct Rows {
  Row* data;
  size_t count;
};
// At least `least` whole rows, else a RangeError.
Rows RowsArgument(const Napi::CallbackInfo& info, size_t index, size_t least, const char* name);

// Closes a descriptor unless it was released: no leak on any throw.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release();

 private:
  int fd_;
};

Napi::Value OpenTun(const Napi::CallbackInfo& info);
Napi::Value OpenUdp(const Napi::CallbackInfo& info);
Napi::Value OpenRawEsp(const Napi::CallbackInfo& info);
Napi::Value BoundPort(const Napi::CallbackInfo& info);
Napi::Value ReceiveBatch(const Napi::CallbackInfo& info);
Napi::Value SendBatch(const Napi::CallbackInfo& info);
Napi::Value OpenEvent(const Napi::CallbackInfo& info);
Napi::Value WakeEvent(const Napi::CallbackInfo& info);
Napi::Value DrainEvent(const Napi::CallbackInfo& info);
Napi::Value PollReady(const Napi::CallbackInfo& info);
Napi::Value CloseDescriptor(const Napi::CallbackInfo& info);

}  // namespace culvert
