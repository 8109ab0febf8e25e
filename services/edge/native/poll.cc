// Waiting for packets, and being woken while waiting: a thread that blocks here hears nothing else.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "edge_native.h"

namespace culvert {
namespace {
constexpr size_t kPolledMax = 256;
}

Napi::Value OpenEvent(const Napi::CallbackInfo& info) {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) ThrowErrno(info.Env(), "eventfd", errno);
  return Napi::Number::New(info.Env(), fd);
}

Napi::Value WakeEvent(const Napi::CallbackInfo& info) {
  const int fd = IntArgument(info, 0, 0, INT32_MAX, "fd");
  const uint64_t one = 1;
  // A full counter (EAGAIN) wakes as well as one that was raised.
  if (write(fd, &one, sizeof one) < 0 && errno != EAGAIN) ThrowErrno(info.Env(), "write(eventfd)", errno);
  return info.Env().Undefined();
}

Napi::Value DrainEvent(const Napi::CallbackInfo& info) {
  const int fd = IntArgument(info, 0, 0, INT32_MAX, "fd");
  uint64_t count = 0;
  if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN) ThrowErrno(info.Env(), "read(eventfd)", errno);
  return info.Env().Undefined();
}

// pollReady(fds, ready, timeoutMs): how many are ready; ready[i] holds the events of fds[i].
Napi::Value PollReady(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  for (size_t index = 0; index < 2; index++) {
    if (index >= info.Length() || !info[index].IsTypedArray() ||
        info[index].As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
      throw Napi::TypeError::New(env, "fds and ready must be Int32Arrays");
    }
  }
  auto fds = info[0].As<Napi::Int32Array>();
  auto ready = info[1].As<Napi::Int32Array>();
  const int timeoutMs = IntArgument(info, 2, -1, 60000, "timeoutMs");
  const size_t count = fds.ElementLength();
  if (count > kPolledMax || ready.ElementLength() < count) {
    throw Napi::RangeError::New(env, "too many descriptors, or too little room for the answer");
  }
  pollfd polled[kPolledMax];
  for (size_t i = 0; i < count; i++) polled[i] = {fds[i], POLLIN, 0};
  int found = poll(polled, count, timeoutMs);
  if (found < 0) {
    if (errno != EINTR) ThrowErrno(env, "poll", errno);
    found = 0;
  }
  for (size_t i = 0; i < count; i++) ready[i] = found > 0 ? polled[i].revents : 0;
  return Napi::Number::New(env, found);
}

}  // namespace culvert
