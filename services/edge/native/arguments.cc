#include <unistd.h>

#include <cstring>

#include "edge_native.h"

namespace culvert {

void ThrowErrno(Napi::Env env, const char* syscall, int error) {
  const char* name = strerrorname_np(error);
  const std::string code = name == nullptr ? std::to_string(error) : name;
  Napi::Error thrown = Napi::Error::New(env, std::string(syscall) + " " + code + ": " + strerror(error));
  thrown.Set("syscall", Napi::String::New(env, syscall));
  thrown.Set("errno", Napi::Number::New(env, error));
  thrown.Set("code", Napi::String::New(env, code));
  throw thrown;
}

int32_t IntArgument(const Napi::CallbackInfo& info, size_t index, int32_t least, int32_t most, const char* name) {
  if (index >= info.Length() || !info[index].IsNumber()) {
    throw Napi::TypeError::New(info.Env(), std::string(name) + " must be a number");
  }
  const double value = info[index].As<Napi::Number>().DoubleValue();
  // Written so that NaN fails too.
  if (!(value >= least && value <= most) || value != static_cast<double>(static_cast<int32_t>(value))) {
    throw Napi::RangeError::New(info.Env(), std::string(name) + " is out of range");
  }
  return static_cast<int32_t>(value);
}

bool BoolArgument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (index >= info.Length() || !info[index].IsBoolean()) {
    throw Napi::TypeError::New(info.Env(), std::string(name) + " must be a boolean");
  }
  return info[index].As<Napi::Boolean>().Value();
}

std::string StringArgument(const Napi::CallbackInfo& info, size_t index, size_t most, const char* name) {
  if (index >= info.Length() || !info[index].IsString()) {
    throw Napi::TypeError::New(info.Env(), std::string(name) + " must be a string");
  }
  std::string value = info[index].As<Napi::String>().Utf8Value();
  if (value.size() > most || value.find('\0') != std::string::npos) {
    throw Napi::RangeError::New(info.Env(), std::string(name) + " is too long or holds a zero octet");
  }
  return value;
}

Octets OctetsArgument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (index >= info.Length() || !info[index].IsTypedArray() ||
      info[index].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(info.Env(), std::string(name) + " must be a Uint8Array");
  }
  auto array = info[index].As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

Rows RowsArgument(const Napi::CallbackInfo& info, size_t index, size_t least, const char* name) {
  if (index >= info.Length() || !info[index].IsTypedArray() ||
      info[index].As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
    throw Napi::TypeError::New(info.Env(), std::string(name) + " must be an Int32Array");
  }
  auto array = info[index].As<Napi::Int32Array>();
  const size_t count = array.ElementLength() / kRowWords;
  if (count < least) throw Napi::RangeError::New(info.Env(), std::string(name) + " holds too few rows");
  return {reinterpret_cast<Row*>(array.Data()), count};
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

int Descriptor::release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

Napi::Value CloseDescriptor(const Napi::CallbackInfo& info) {
  const int fd = IntArgument(info, 0, 3, INT32_MAX, "fd");
  if (close(fd) != 0) ThrowErrno(info.Env(), "close", errno);
  return info.Env().Undefined();
}

}  // namespace culvert
