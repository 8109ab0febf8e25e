// recvmmsg and sendmmsg over memory that the caller owns.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "edge_native.h"

namespace culvert {
namespace {

constexpr size_t kControlOctets = CMSG_SPACE(sizeof(in6_pktinfo));
constexpr int kSendWaitMs = 10;

struct Control {
  alignas(cmsghdr) char octets[kControlOctets];
};

struct SocketKind {
  bool ipv6;
  bool raw;
};

SocketKind KindOf(Napi::Env env, int fd) {
  int domain = 0;
  int type = 0;
  socklen_t length = sizeof domain;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0) ThrowErrno(env, "getsockopt", errno);
  length = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0) ThrowErrno(env, "getsockopt", errno);
  if (domain != AF_INET && domain != AF_INET6) ThrowErrno(env, "getsockopt", EAFNOSUPPORT);
  return {domain == AF_INET6, type == SOCK_RAW};
}

void Map4(uint8_t (&into)[16], const in_addr& address) {
  std::memset(into, 0, 10);
  into[10] = into[11] = 0xff;
  std::memcpy(into + 12, &address, 4);
}

void ReadPeer(const sockaddr_storage& from, Row& row) {
  if (from.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(from);
    std::memcpy(row.remote, &in6.sin6_addr, 16);
    row.port = ntohs(in6.sin6_port);
  } else {
    const auto& in4 = reinterpret_cast<const sockaddr_in&>(from);
    Map4(row.remote, in4.sin_addr);
    row.port = ntohs(in4.sin_port);
  }
}

void ReadLocal(msghdr& message, Row& row) {
  std::memset(row.local, 0, sizeof row.local);
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
      in_pktinfo found;
      std::memcpy(&found, CMSG_DATA(part), sizeof found);
      Map4(row.local, found.ipi_addr);
    } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo found;
      std::memcpy(&found, CMSG_DATA(part), sizeof found);
      std::memcpy(row.local, &found.ipi6_addr, 16);
    }
  }
}

bool IsUnset(const uint8_t (&address)[16]) {
  return std::all_of(std::begin(address), std::end(address), [](uint8_t octet) { return octet == 0; });
}

// The source address of what we send is the one that the client dialled.
void WriteLocal(msghdr& message, Control& control, const Row& row, bool ipv6) {
  if (IsUnset(row.local)) return;
  message.msg_control = control.octets;
  message.msg_controllen = sizeof control.octets;
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  if (ipv6) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, row.local, 16);
    part->cmsg_level = IPPROTO_IPV6;
    part->cmsg_type = IPV6_PKTINFO;
    part->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(part), &info, sizeof info);
    message.msg_controllen = CMSG_SPACE(sizeof info);
  } else {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, row.local + 12, 4);
    part->cmsg_level = IPPROTO_IP;
    part->cmsg_type = IP_PKTINFO;
    part->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(part), &info, sizeof info);
    message.msg_controllen = CMSG_SPACE(sizeof info);
  }
}

socklen_t WritePeer(sockaddr_storage& to, const Row& row, SocketKind kind) {
  std::memset(&to, 0, sizeof to);
  // A raw socket takes the port field for a protocol number.
  const uint16_t port = kind.raw ? 0 : htons(static_cast<uint16_t>(row.port));
  if (kind.ipv6) {
    auto& in6 = reinterpret_cast<sockaddr_in6&>(to);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = port;
    std::memcpy(&in6.sin6_addr, row.remote, 16);
    return sizeof in6;
  }
  auto& in4 = reinterpret_cast<sockaddr_in&>(to);
  in4.sin_family = AF_INET;
  in4.sin_port = port;
  std::memcpy(&in4.sin_addr, row.remote + 12, 4);
  return sizeof in4;
}

// A raw IPv4 socket hands over the IP header as well.
void SkipIpHeader(Row& row, const uint8_t* packet) {
  const int32_t header = row.length > 0 ? (packet[0] & 0x0f) * 4 : 0;
  const int32_t skipped = std::min(header, row.length);
  row.offset += skipped;
  row.length -= skipped;
}

}  // namespace

// receiveBatch(fd, buffer, slotOctets, rows, max): how many arrived; packet i lies in slot i.
Napi::Value ReceiveBatch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = IntArgument(info, 0, 0, INT32_MAX, "fd");
  const Octets buffer = OctetsArgument(info, 1, "buffer");
  const size_t slot = static_cast<size_t>(IntArgument(info, 2, 1, 65536, "slotOctets"));
  const size_t max = static_cast<size_t>(IntArgument(info, 4, 1, kBatchMax, "max"));
  const Rows rows = RowsArgument(info, 3, max, "rows");
  if (slot * max > buffer.length) throw Napi::RangeError::New(env, "buffer is smaller than its slots");
  const SocketKind kind = KindOf(env, fd);
  mmsghdr messages[kBatchMax];
  iovec parts[kBatchMax];
  sockaddr_storage peers[kBatchMax];
  Control controls[kBatchMax];
  std::memset(messages, 0, sizeof(mmsghdr) * max);
  for (size_t i = 0; i < max; i++) {
    parts[i] = {buffer.data + i * slot, slot};
    messages[i].msg_hdr = {&peers[i], sizeof peers[i], &parts[i], 1, controls[i].octets, kControlOctets, 0};
  }
  const int count = recvmmsg(fd, messages, static_cast<unsigned>(max), MSG_DONTWAIT, nullptr);
  if (count < 0) {
    // ICMP errors of earlier sends surface here; they are no fault of this read.
    if (errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH) {
      return Napi::Number::New(env, 0);
    }
    ThrowErrno(env, "recvmmsg", errno);
  }
  for (int i = 0; i < count; i++) {
    Row& row = rows.data[i];
    row.offset = static_cast<int32_t>(i * slot);
    row.length = static_cast<int32_t>(messages[i].msg_len);
    row.mark = (messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0 ? kTruncated : 0;
    ReadPeer(peers[i], row);
    ReadLocal(messages[i].msg_hdr, row);
    if (kind.raw && !kind.ipv6) SkipIpHeader(row, buffer.data + i * slot);
  }
  return Napi::Number::New(env, count);
}

// sendBatch(fd, buffer, rows, count): how many could not be sent; their rows' mark holds the errno.
Napi::Value SendBatch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = IntArgument(info, 0, 0, INT32_MAX, "fd");
  const Octets buffer = OctetsArgument(info, 1, "buffer");
  const size_t count = static_cast<size_t>(IntArgument(info, 3, 0, kBatchMax, "count"));
  const Rows rows = RowsArgument(info, 2, count, "rows");
  const SocketKind kind = KindOf(env, fd);
  mmsghdr messages[kBatchMax];
  iovec parts[kBatchMax];
  sockaddr_storage peers[kBatchMax];
  Control controls[kBatchMax];
  std::memset(messages, 0, sizeof(mmsghdr) * count);
  for (size_t i = 0; i < count; i++) {
    Row& row = rows.data[i];
    if (row.offset < 0 || row.length < 0 ||
        static_cast<size_t>(row.offset) + static_cast<size_t>(row.length) > buffer.length) {
      throw Napi::RangeError::New(env, "a row points outside the buffer");
    }
    row.mark = 0;
    parts[i] = {buffer.data + row.offset, static_cast<size_t>(row.length)};
    messages[i].msg_hdr.msg_name = &peers[i];
    messages[i].msg_hdr.msg_namelen = WritePeer(peers[i], row, kind);
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    WriteLocal(messages[i].msg_hdr, controls[i], row, kind.ipv6);
  }
  size_t done = 0;
  uint32_t failed = 0;
  bool waited = false;
  while (done < count) {
    const int sent = sendmmsg(fd, messages + done, static_cast<unsigned>(count - done), MSG_DONTWAIT);
    if (sent > 0) {
      done += static_cast<size_t>(sent);
      continue;
    }
    const int error = errno;
    if (error == EINTR) continue;
    if (error == EAGAIN && !waited) {
      pollfd writable = {fd, POLLOUT, 0};
      poll(&writable, 1, kSendWaitMs);
      waited = true;
      continue;
    }
    if (error == EBADF || error == ENOTSOCK || error == EFAULT) ThrowErrno(env, "sendmmsg", error);
    rows.data[done].mark = error;
    done++;
    failed++;
  }
  return Napi::Number::New(env, failed);
}

}  // namespace culvert
