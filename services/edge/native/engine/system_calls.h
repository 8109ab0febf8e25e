// The system calls of the packet path. glibc's wrappers are places where a thread may be cancelled, and what they
// do for that in a process with several threads takes a tenth of the time of a small packet. Errors in errno.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace culvert::system_calls {

inline ssize_t Read(int fd, void* into, size_t octets) { return syscall(SYS_read, fd, into, octets); }

inline ssize_t Write(int fd, const void* from, size_t octets) { return syscall(SYS_write, fd, from, octets); }

inline int ReceiveMany(int fd, mmsghdr* messages, unsigned count) {
  return static_cast<int>(syscall(SYS_recvmmsg, fd, messages, count, MSG_DONTWAIT, nullptr));
}

inline int SendMany(int fd, mmsghdr* messages, unsigned count) {
  return static_cast<int>(syscall(SYS_sendmmsg, fd, messages, count, MSG_DONTWAIT));
}

}  // namespace culvert::system_calls
