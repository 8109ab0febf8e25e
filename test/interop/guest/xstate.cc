// In front of user-mode Linux, by LD_PRELOAD. Its kernel keeps 2,696 octets of a process's vector registers
// and sets as many; on a processor with AMX the host wants all 11,008 or answers EFAULT, and no guest boots.
// What the guest's kernel does not know of stays as it is: its programs were told of no AMX either.
#include <dlfcn.h>
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include <cstdarg>
#include <cstring>

extern "C" long ptrace(enum __ptrace_request request, ...) noexcept {
  using Function = long (*)(enum __ptrace_request, ...);
  static const auto host = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "ptrace"));
  va_list arguments;
  va_start(arguments, request);
  const int process = va_arg(arguments, int);
  void* const address = va_arg(arguments, void*);
  void* const data = va_arg(arguments, void*);
  va_end(arguments);
  if (request == PTRACE_SETREGSET && reinterpret_cast<long>(address) == NT_X86_XSTATE) {
    const auto* given = static_cast<const iovec*>(data);
    static char whole[65536];
    iovec all = {whole, sizeof whole};
    if (host(PTRACE_GETREGSET, process, address, &all) == 0 && all.iov_len > given->iov_len) {
      std::memcpy(whole, given->iov_base, given->iov_len);
      return host(request, process, address, &all);
    }
  }
  return host(request, process, address, data);
}
