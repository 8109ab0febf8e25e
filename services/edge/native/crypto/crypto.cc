#include "crypto.h"

#include "backends.h"

namespace culvert::crypto {

Backend::~Backend() = default;

namespace {

std::unique_ptr<Backend> Tested(std::unique_ptr<Backend> backend, std::string& why) {
  if (backend == nullptr || SelfTest(*backend, why)) return backend;
  return nullptr;
}

}  // namespace

std::unique_ptr<Backend> NewBackend(const char* wanted, std::string& why) {
  const std::string name = wanted;
  why.clear();
  if (name == "ipsec-mb") return Tested(NewIpsecMb(why), why);
  if (name == "openssl") return Tested(NewOpenssl(why), why);
  if (!name.empty()) {
    why = "there is no such backend: " + name;
    return nullptr;
  }
  if (auto best = Tested(NewIpsecMb(why), why)) return best;
  std::string fault;
  auto fallback = Tested(NewOpenssl(fault), fault);
  if (fallback == nullptr) why += "; " + fault;
  return fallback;
}

}  // namespace culvert::crypto
