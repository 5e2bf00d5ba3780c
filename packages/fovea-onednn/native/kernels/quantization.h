// Between floats and the integers that stand for them, (q - zero point) * scale.
#pragma once
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

// Beyond all results, whatever the zero point.
constexpr float kMost = 1024;

// v / scale + zero as the nearest whole number, limited to some; what is no number is taken for 0.
inline vi nearest(vf v, vf scale, int zero) {
  v = v / scale;
  v = v == v ? v : vf{};
  return vinteger(vmin(vmax(v, splat(-kMost)), splat(kMost))) + zero;
}

inline void put_integers(uint8_t* p, int64_t at, vi v, int lanes) {
  if (lanes == kLanes) return store_limited(p + at, v);
  uint8_t all[kLanes];
  store_limited(all, v);
  memcpy(p + at, all, lanes);
}
inline void put_integers(int8_t* p, int64_t at, vi v, int lanes) {
  for (int lane = 0; lane < lanes; lane++) {
    p[at + lane] = (int8_t)(v[lane] < INT8_MIN ? INT8_MIN : v[lane] > INT8_MAX ? INT8_MAX : v[lane]);
  }
}

template <class X, class T>
inline void quantize_runs(const QuantizeFields& s) {
  const X* x = (const X*)s.x;
  const T* zero_points = (const T*)s.zero_point;
  for_each_scale(s, [&](int64_t begin, int64_t end, int64_t channel) {
    const vf scale = splat(s.scale[channel]);
    const int zero = zero_points ? zero_points[channel] : 0;
    for (int64_t i = begin; i < end; i += kLanes) {
      const int lanes = end - i < kLanes ? (int)(end - i) : kLanes;
      put_integers((T*)s.y, i, nearest(get(x, i, lanes), scale, zero), lanes);
    }
  });
}

void quantize(const QuantizeFields& s) {
  with_type(s.from, [&](auto from) {
    with_quantized(s.to, [&](auto to) { quantize_runs<decltype(from), decltype(to)>(s); });
  });
}

void dequantize(const DequantizeFields& s) {
  const auto runs = [&](auto type) {
    using T = decltype(type);
    const T* x = (const T*)s.x;
    const T* zero_points = (const T*)s.zero_point;
    float* y = s.y;
    for_each_scale(s, [&](int64_t begin, int64_t end, int64_t channel) {
      const float scale = s.scale[channel];
      if constexpr (sizeof(T) == 4) {  // their difference may need a bit more
        const double zero_point = zero_points ? zero_points[channel] : 0;
        for (int64_t i = begin; i < end; i++) y[i] = (float)(x[i] - zero_point) * scale;
      } else {
        const int zero_point = zero_points ? zero_points[channel] : 0;
        for (int64_t i = begin; i < end; i++) y[i] = (float)(x[i] - zero_point) * scale;
      }
    });
  };
  if (s.from == kInt32) return runs(int32_t{});
  with_quantized(s.from, runs);
}

// The first n of whole numbers, the others 0.
inline vu integers(const int32_t* p, int n) {
  vu v = {};
  n == kLanes ? memcpy(&v, p, sizeof v) : memcpy(&v, p, n * sizeof *p);
  return v;
}

// Sums of products and biases, added without loss where the sums are integers. Nothing else adds so many that 32 bits overflow.
inline vf biased(const int32_t* sums, const int32_t* bias, int n) {
  return __builtin_convertvector((vi)(integers(sums, n) + integers(bias, n)), vf);
}
inline vf biased(const float* sums, const int32_t* bias, int n) {
  return get(sums, 0, n) + __builtin_convertvector((vi)integers(bias, n), vf);
}

template <class Sum, class Y, class Act>
inline void requantize_rows(const RequantizeFields& s, Act act) {
  const Sum* sums = (const Sum*)s.sums;
  Y* y = (Y*)s.y;
  const vf residual_scale = splat((float)s.residual_scale), scale = splat((float)s.output_scale);
  const float residual_zero = (float)s.residual_zero_point;
  const int zero = (int)s.zero_point;
  // Inlined, so that of whole vectors nothing asks how many lanes there are.
  const auto columns = [&](int64_t at, int64_t c, int n) __attribute__((always_inline)) {
    vf v = biased(sums + at, s.bias + c, n) * get(s.scale, c, n);
    if (s.residual) v += (get(s.residual, at, n) - residual_zero) * residual_scale;
    v = act.value(v);
    if constexpr (sizeof(Y) == 1) {
      put_integers(y, at, nearest(v, scale, zero), n);
    } else {
      put(y, at, v, n);
    }
  };
  const int64_t whole = s.columns / kLanes * kLanes;
  parallel(s.rows, kGrain / s.columns + 1, s.threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; row++) {
      const int64_t first = row * s.columns;
      for (int64_t c = 0; c < whole; c += kLanes) columns(first + c, c, kLanes);
      if (whole < s.columns) columns(first + whole, whole, (int)(s.columns - whole));
    }
  });
}

void requantize(const RequantizeFields& s) {
  with_activation(s.activation, [&](auto act) {
    const auto from = [&](auto sum) {
      using Sum = decltype(sum);
      return s.to == kUint8 ? requantize_rows<Sum, uint8_t>(s, act) : requantize_rows<Sum, float>(s, act);
    };
    s.from == kInt32 ? from(int32_t{}) : from(float{});
  });
}

void fold_zero_point(const FoldZeroPointFields& s) {
  for (int64_t c = 0; c < s.channels; c++) {
    int64_t sum = 0;
    for (int64_t i = 0; i < s.per_channel; i++) sum += s.weight[c * s.per_channel + i];
    s.folded[c] = (int32_t)(uint32_t)(s.bias[c] - s.zero_point * sum);
  }
}

}  // namespace
