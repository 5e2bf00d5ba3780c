// Between floats and the integers that stand for them, (q - zero point) * scale.
#pragma once
#include <limits>

#include "common.h"

namespace {

// Calls body(begin, end, channel) for runs of elements that share a scale.
template <class Fields, class Body>
inline void for_each_scale(const Fields& s, Body body) {
  parallel(s.outer * s.channels * s.inner, kGrain, s.threads, [&](int64_t begin, int64_t end, int) {
    while (begin < end) {
      const int64_t row = begin / s.inner, next = (row + 1) * s.inner;
      body(begin, next < end ? next : end, row % s.channels);
      begin = next;
    }
  });
}

template <class Body>
inline void with_quantized(int64_t type, Body body) {
  if (type == kUint8) return body(uint8_t{});
  return body(int8_t{});
}

template <class X, class T>
inline void quantize_runs(const QuantizeFields& s) {
  constexpr int kLow = std::numeric_limits<T>::min(), kHigh = std::numeric_limits<T>::max();
  // Beyond all results, whatever the zero point; and what is added to such a number to leave no digits behind its point.
  constexpr float kMost = 1024, kNoDigits = 12582912;
  const X* x = (const X*)s.x;
  const T* zero_points = (const T*)s.zero_point;
  T* y = (T*)s.y;
  for_each_scale(s, [&](int64_t begin, int64_t end, int64_t channel) {
    const float scale = s.scale[channel];
    const int zero_point = zero_points ? zero_points[channel] : 0;
    for (int64_t i = begin; i < end; i++) {
      float v = to_float(x[i]) / scale;
      v = v != v ? 0 : v;
      v = v < -kMost ? -kMost : v > kMost ? kMost : v;
      const int q = (int)(v + kNoDigits - kNoDigits) + zero_point;
      y[i] = (T)(q < kLow ? kLow : q > kHigh ? kHigh : q);
    }
  });
}

void quantize(const QuantizeFields& s) {
  with_type(s.from, [&](auto from) {
    with_quantized(s.to, [&](auto to) { quantize_runs<decltype(from), decltype(to)>(s); });
  });
}

void dequantize(const DequantizeFields& s) {
  with_quantized(s.from, [&](auto type) {
    using T = decltype(type);
    const T* x = (const T*)s.x;
    const T* zero_points = (const T*)s.zero_point;
    float* y = s.y;
    for_each_scale(s, [&](int64_t begin, int64_t end, int64_t channel) {
      const float scale = s.scale[channel];
      const int zero_point = zero_points ? zero_points[channel] : 0;
      for (int64_t i = begin; i < end; i++) y[i] = (float)(x[i] - zero_point) * scale;
    });
  });
}

}  // namespace
