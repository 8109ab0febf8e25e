#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <cstring>

#include "edge_native.h"
#include "engine/vnet.h"

namespace culvert {
namespace {

// Newer than the headers of some systems.
constexpr unsigned kUso4 = 0x20;
constexpr unsigned kUso6 = 0x40;

// Super-packets and unfinished checksums, both ways; of UDP only where the kernel has them (6.2).
bool SetOffloads(Napi::Env env, int fd) {
  const unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  if (ioctl(fd, TUNSETOFFLOAD, tcp | kUso4 | kUso6) == 0) return true;
  if (ioctl(fd, TUNSETOFFLOAD, tcp) != 0) ThrowErrno(env, "ioctl(TUNSETOFFLOAD)", errno);
  return false;
}

}  // namespace

// openTun(name, multiQueue): { fd, name, udp }; a virtio header stands before every packet. `udp`: the
// device takes and gives UDP super-packets.
Napi::Value OpenTun(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string name = StringArgument(info, 0, IFNAMSIZ - 1, "name");
  const bool multiQueue = BoolArgument(info, 1, "multiQueue");
  Descriptor tun(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (tun.get() < 0) ThrowErrno(env, "open(/dev/net/tun)", errno);
  ifreq request{};
  std::memcpy(request.ifr_name, name.c_str(), name.size());
  request.ifr_flags = static_cast<short>(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | (multiQueue ? IFF_MULTI_QUEUE : 0));
  if (ioctl(tun.get(), TUNSETIFF, &request) != 0) ThrowErrno(env, "ioctl(TUNSETIFF)", errno);
  int header = kVnetHeader;
  if (ioctl(tun.get(), TUNSETVNETHDRSZ, &header) != 0) ThrowErrno(env, "ioctl(TUNSETVNETHDRSZ)", errno);
  const bool udp = SetOffloads(env, tun.get());
  request.ifr_name[IFNAMSIZ - 1] = '\0';
  Napi::Object opened = Napi::Object::New(env);
  opened.Set("name", Napi::String::New(env, request.ifr_name));
  opened.Set("udp", Napi::Boolean::New(env, udp));
  opened.Set("fd", Napi::Number::New(env, tun.release()));
  return opened;
}

}  // namespace culvert
