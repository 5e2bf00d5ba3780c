// What JavaScript passes in, checked: each value has the type and the range that the native side takes, or a TypeError or
// RangeError names it. Reading an object may run JavaScript (a getter, a proxy), so all is read before anything is done.
#pragma once
#include <napi.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace fovea {

// The largest whole number of which each one below is a double of its own.
constexpr double kMostExact = 9007199254740991.0;

inline double number(const Napi::Value& value, const std::string& name) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), name + " must be a number");
  return value.As<Napi::Number>().DoubleValue();
}

// A whole number from `least` to `most`, and no larger than T holds.
template <class T>
T whole(const Napi::Value& value, const std::string& name, double least = 0, double most = kMostExact) {
  const double n = number(value, name);
  const double limit = std::min(most, (double)std::numeric_limits<T>::max());
  if (!(n >= least && n <= limit) || n != std::floor(n)) {
    const auto text = [](double v) { return std::to_string((int64_t)v); };
    throw Napi::RangeError::New(value.Env(), name + " must be a whole number from " + text(least) + " to " + text(limit));
  }
  return (T)n;
}

inline bool flag(const Napi::Value& value, const std::string& name) {
  if (!value.IsBoolean()) throw Napi::TypeError::New(value.Env(), name + " must be a boolean");
  return value.As<Napi::Boolean>().Value();
}

inline std::string text(const Napi::Value& value, const std::string& name) {
  if (!value.IsString()) throw Napi::TypeError::New(value.Env(), name + " must be a string");
  return value.As<Napi::String>().Utf8Value();
}

inline Napi::Object object(const Napi::Value& value, const std::string& name) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), name + " must be an object");
  return value.As<Napi::Object>();
}

// One T for each element, as `read` takes it from a value and its name.
template <class T, class Read>
std::vector<T> list(const Napi::Value& value, const std::string& name, Read read) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), name + " must be an array");
  const auto array = value.As<Napi::Array>();
  const uint32_t length = array.Length();
  std::vector<T> result;
  for (uint32_t i = 0; i < length; i++) result.push_back(read(array.Get(i), name + '[' + std::to_string(i) + ']'));
  return result;
}

// Whole numbers from `least` on.
template <class T>
std::vector<T> wholes(const Napi::Value& value, const std::string& name, double least = 0) {
  return list<T>(value, name, [least](const Napi::Value& v, const std::string& n) { return whole<T>(v, n, least); });
}

struct Bytes {
  void* data;
  size_t size;
};

// The memory of a typed array, valid until JavaScript runs again. Shared memory is refused: another thread may write to it
// at the same time.
inline Bytes bytes_of(const Napi::Value& value, const std::string& name) {
  const Napi::Env env = value.Env();
  if (!value.IsTypedArray()) throw Napi::TypeError::New(env, name + " must be a typed array");
  const auto array = value.As<Napi::TypedArray>();
  const Napi::Value buffer = array.ArrayBuffer();
  if (!buffer.IsArrayBuffer()) throw Napi::TypeError::New(env, name + " lies in shared memory: copy it first");
  if (buffer.As<Napi::ArrayBuffer>().IsDetached()) throw Napi::TypeError::New(env, name + " is detached: its memory was moved");
  napi_typedarray_type type;
  size_t length, offset;
  void* data;
  const napi_status status = napi_get_typedarray_info(env, array, &type, &length, &data, nullptr, &offset);
  if (status != napi_ok) throw Napi::Error::New(env);
  return {data, length * array.ElementSize()};
}

}  // namespace fovea
