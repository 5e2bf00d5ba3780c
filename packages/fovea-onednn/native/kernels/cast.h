// From one type to another.
#pragma once
#include <limits>

#include "common.h"

namespace {

// Towards zero, limited to the range of the type; what is no number is 0.
template <class Integer>
inline Integer to_integer(double x) {
  using Limits = std::numeric_limits<Integer>;
  return x != x ? 0 : x <= Limits::min() ? Limits::min() : x >= Limits::max() ? Limits::max() : (Integer)x;
}

// Casts from and to integers, which are rare: one number after another, through double, which holds each of them.
inline void cast_integers(const CastFields& s) {
  for (int64_t i = 0; i < s.elements; i++) {
    double value;
    if (s.from == kInt32) {
      value = ((const int32_t*)s.x)[i];
    } else if (s.from == kUint8) {
      value = ((const uint8_t*)s.x)[i];
    } else if (s.from == kInt8) {
      value = ((const int8_t*)s.x)[i];
    } else {
      with_type(s.from, [&](auto source) { value = to_float(((const decltype(source)*)s.x)[i]); });
    }
    if (s.to == kInt32) {
      ((int32_t*)s.y)[i] = to_integer<int32_t>(value);
    } else if (s.to == kUint8) {
      ((uint8_t*)s.y)[i] = to_integer<uint8_t>(value);
    } else if (s.to == kInt8) {
      ((int8_t*)s.y)[i] = to_integer<int8_t>(value);
    } else {
      with_type(s.to, [&](auto target) { from_float((decltype(target)*)s.y + i, (float)value); });
    }
  }
}

void cast(const CastFields& s) {
  // What integer convolutions are where they are computed as floats.
  if (s.from == kUint8 && s.to == kFloat32) {
    const uint8_t* x = (const uint8_t*)s.x;
    float* y = (float*)s.y;
    return for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) { put(y, at, get(x, at, lanes), lanes); });
  }
  const auto is_integer = [](int64_t type) { return type == kInt32 || type == kUint8 || type == kInt8; };
  if (is_integer(s.from) || is_integer(s.to)) return cast_integers(s);
  with_type(s.from, [&](auto source) {
    with_type(s.to, [&](auto target) {
      const auto* x = (const decltype(source)*)s.x;
      auto* y = (decltype(target)*)s.y;
      for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) {
        const vf v = get(x, at, lanes);
        if (lanes == kLanes) return store_exactly(y + at, v);
        for (int j = 0; j < lanes; j++) from_float(y + at + j, v[j]);
      });
    });
  });
}

}  // namespace
