#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstring>

#include "edge_native.h"

namespace culvert {

// openTun(name, multiQueue): { fd, name }; packets without any header before IP.
Napi::Value OpenTun(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string name = StringArgument(info, 0, IFNAMSIZ - 1, "name");
  const bool multiQueue = BoolArgument(info, 1, "multiQueue");
  Descriptor tun(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (tun.get() < 0) ThrowErrno(env, "open(/dev/net/tun)", errno);
  ifreq request{};
  std::memcpy(request.ifr_name, name.c_str(), name.size());
  request.ifr_flags = static_cast<short>(IFF_TUN | IFF_NO_PI | (multiQueue ? IFF_MULTI_QUEUE : 0));
  if (ioctl(tun.get(), TUNSETIFF, &request) != 0) ThrowErrno(env, "ioctl(TUNSETIFF)", errno);
  request.ifr_name[IFNAMSIZ - 1] = '\0';
  Napi::Object opened = Napi::Object::New(env);
  opened.Set("name", Napi::String::New(env, request.ifr_name));
  opened.Set("fd", Napi::Number::New(env, tun.release()));
  return opened;
}

// readTun(fd, buffer, slotOctets, rows, max): how many packets were there; packet i lies in slot i.
Napi::Value ReadTun(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = IntArgument(info, 0, 0, INT32_MAX, "fd");
  const Octets buffer = OctetsArgument(info, 1, "buffer");
  const size_t slot = static_cast<size_t>(IntArgument(info, 2, 1, 65536, "slotOctets"));
  const size_t max = static_cast<size_t>(IntArgument(info, 4, 1, kBatchMax, "max"));
  const Rows rows = RowsArgument(info, 3, max, "rows");
  if (slot * max > buffer.length) throw Napi::RangeError::New(env, "buffer is smaller than its slots");
  uint32_t count = 0;
  while (count < max) {
    const ssize_t length = read(fd, buffer.data + count * slot, slot);
    if (length < 0) {
      if (errno == EINTR) continue;
      // EIO and EBADFD: the interface is down; packets come again when it is up.
      if (errno == EAGAIN || errno == EIO || errno == EBADFD) break;
      ThrowErrno(env, "read(tun)", errno);
    }
    Row& row = rows.data[count];
    row.offset = static_cast<int32_t>(count * slot);
    row.length = static_cast<int32_t>(length);
    row.mark = 0;
    count++;
  }
  return Napi::Number::New(env, count);
}

// writeTun(fd, buffer, rows, count): how many were refused; their rows' mark holds the errno.
Napi::Value WriteTun(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = IntArgument(info, 0, 0, INT32_MAX, "fd");
  const Octets buffer = OctetsArgument(info, 1, "buffer");
  const size_t count = static_cast<size_t>(IntArgument(info, 3, 0, kBatchMax, "count"));
  const Rows rows = RowsArgument(info, 2, count, "rows");
  uint32_t failed = 0;
  for (size_t i = 0; i < count; i++) {
    Row& row = rows.data[i];
    if (row.offset < 0 || row.length < 0 ||
        static_cast<size_t>(row.offset) + static_cast<size_t>(row.length) > buffer.length) {
      throw Napi::RangeError::New(env, "a row points outside the buffer");
    }
    row.mark = 0;
    ssize_t written;
    do {
      written = write(fd, buffer.data + row.offset, static_cast<size_t>(row.length));
    } while (written < 0 && errno == EINTR);
    if (written >= 0) continue;
    if (errno == EBADF || errno == EFAULT) ThrowErrno(env, "write(tun)", errno);
    row.mark = errno;
    failed++;
  }
  return Napi::Number::New(env, failed);
}

}  // namespace culvert
