// UDP and raw ESP sockets, non-blocking, that say which of our addresses was dialled.
#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cstring>

#include "edge_native.h"

namespace culvert {
namespace {

constexpr int kBufferOctets = 8 << 20;

void SetOption(Napi::Env env, int fd, int level, int name, int value, const char* what) {
  if (setsockopt(fd, level, name, &value, sizeof value) != 0) ThrowErrno(env, what, errno);
}

// Larger than the system's bound only with privilege; without it the smaller buffer will do.
void SetBuffer(int fd, int forced, int plain) {
  const int octets = kBufferOctets;
  if (setsockopt(fd, SOL_SOCKET, forced, &octets, sizeof octets) != 0) {
    setsockopt(fd, SOL_SOCKET, plain, &octets, sizeof octets);
  }
}

// `every`: bound to every address, so that each packet has to say which one was dialled.
void CommonOptions(Napi::Env env, int fd, bool ipv6, bool every) {
  // The kernel fragments outer packets by itself; a client behind a small path must still get them.
  if (ipv6) {
    if (every) SetOption(env, fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "setsockopt(IPV6_RECVPKTINFO)");
    SetOption(env, fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1, "setsockopt(IPV6_RECVTCLASS)");
    SetOption(env, fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT, "setsockopt(IPV6_MTU_DISCOVER)");
  } else {
    if (every) SetOption(env, fd, IPPROTO_IP, IP_PKTINFO, 1, "setsockopt(IP_PKTINFO)");
    SetOption(env, fd, IPPROTO_IP, IP_RECVTOS, 1, "setsockopt(IP_RECVTOS)");
    SetOption(env, fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, "setsockopt(IP_MTU_DISCOVER)");
  }
  SetBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
  SetBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
}

template <size_t N>
void AttachFilter(Napi::Env env, int fd, int option, sock_filter (&program)[N], const char* what) {
  const sock_fprog filter = {.len = N, .filter = program};
  if (setsockopt(fd, SOL_SOCKET, option, &filter, sizeof filter) != 0) ThrowErrno(env, what, errno);
}

// Chooses the group's member by the SPI's low octet (offset 3 of the UDP payload). IKE behind its zero
// marker gives 0; a load beyond the end (keepalive) makes the filter answer 0 as well.
void SteerBySpi(Napi::Env env, int fd, uint32_t members) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 3),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, members),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
  AttachFilter(env, fd, SO_ATTACH_REUSEPORT_CBPF, program, "setsockopt(SO_ATTACH_REUSEPORT_CBPF)");
}

// Raw sockets form no group: each takes its share of SPIs and drops the rest. An IPv4 filter sees the IP
// header first, an IPv6 filter only what follows it.
void FilterRaw4(Napi::Env env, int fd, uint32_t members, uint32_t index) {
  sock_filter program[] = {
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, 3),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, members),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, index, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  AttachFilter(env, fd, SO_ATTACH_FILTER, program, "setsockopt(SO_ATTACH_FILTER)");
}

void FilterRaw6(Napi::Env env, int fd, uint32_t members, uint32_t index) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 3),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, members),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, index, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  AttachFilter(env, fd, SO_ATTACH_FILTER, program, "setsockopt(SO_ATTACH_FILTER)");
}

void Bind(Napi::Env env, int fd, bool ipv6, const std::string& address, uint16_t port) {
  sockaddr_storage storage{};
  socklen_t length = 0;
  if (ipv6) {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&storage);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    if (inet_pton(AF_INET6, address.c_str(), &in6->sin6_addr) != 1) ThrowErrno(env, "inet_pton", EINVAL);
    length = sizeof *in6;
  } else {
    auto* in4 = reinterpret_cast<sockaddr_in*>(&storage);
    in4->sin_family = AF_INET;
    in4->sin_port = htons(port);
    if (inet_pton(AF_INET, address.c_str(), &in4->sin_addr) != 1) ThrowErrno(env, "inet_pton", EINVAL);
    length = sizeof *in4;
  }
  if (bind(fd, reinterpret_cast<sockaddr*>(&storage), length) != 0) ThrowErrno(env, "bind", errno);
}

}  // namespace

// openUdp(address, port, members, gro): members 0 for a socket alone, else the size of its reuse-port group;
// the order of binding is the order of the members. `gro`: the kernel joins datagrams; for readers with
// buffers of 64 KiB only, or a joined one would be cut off.
Napi::Value OpenUdp(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string address = StringArgument(info, 0, INET6_ADDRSTRLEN, "address");
  const int port = IntArgument(info, 1, 0, 65535, "port");
  const int members = IntArgument(info, 2, 0, 256, "members");
  const bool gro = BoolArgument(info, 3, "gro");
  const bool ipv6 = address.find(':') != std::string::npos;
  Descriptor socket(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) ThrowErrno(env, "socket", errno);
  CommonOptions(env, socket.get(), ipv6, address == "0.0.0.0" || address == "::");
  if (ipv6) SetOption(env, socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1, "setsockopt(IPV6_V6ONLY)");
  if (members > 0) {
    SetOption(env, socket.get(), SOL_SOCKET, SO_REUSEADDR, 1, "setsockopt(SO_REUSEADDR)");
    SetOption(env, socket.get(), SOL_SOCKET, SO_REUSEPORT, 1, "setsockopt(SO_REUSEPORT)");
  }
  // A kernel without it gives datagrams one by one.
  const int one = 1;
  if (gro) setsockopt(socket.get(), IPPROTO_UDP, UDP_GRO, &one, sizeof one);
  Bind(env, socket.get(), ipv6, address, static_cast<uint16_t>(port));
  if (members > 1) SteerBySpi(env, socket.get(), static_cast<uint32_t>(members));
  return Napi::Number::New(env, socket.release());
}

// openRawEsp(ipv6, members, index)
Napi::Value OpenRawEsp(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const bool ipv6 = BoolArgument(info, 0, "ipv6");
  const int members = IntArgument(info, 1, 1, 256, "members");
  const int index = IntArgument(info, 2, 0, members - 1, "index");
  Descriptor socket(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ESP));
  if (socket.get() < 0) ThrowErrno(env, "socket", errno);
  CommonOptions(env, socket.get(), ipv6, true);
  if (ipv6) {
    FilterRaw6(env, socket.get(), static_cast<uint32_t>(members), static_cast<uint32_t>(index));
  } else {
    FilterRaw4(env, socket.get(), static_cast<uint32_t>(members), static_cast<uint32_t>(index));
  }
  return Napi::Number::New(env, socket.release());
}

Napi::Value BoundPort(const Napi::CallbackInfo& info) {
  const int fd = IntArgument(info, 0, 0, INT32_MAX, "fd");
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    ThrowErrno(info.Env(), "getsockname", errno);
  }
  const uint16_t port = storage.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port
                                                      : reinterpret_cast<sockaddr_in*>(&storage)->sin_port;
  return Napi::Number::New(info.Env(), ntohs(port));
}

}  // namespace culvert
