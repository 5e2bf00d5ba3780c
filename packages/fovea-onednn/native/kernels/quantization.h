// Between floats and the integers that stand for them, (q - zero point) * scale.
#pragma once
#include "map.h"

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

// v + zero as the nearest whole number, limited to some; what is no number is taken for 0.
inline vi nearest(vf v, int zero) {
  v = v == v ? v : vf{};
  return vinteger(vmin(vmax(v, splat(-kMost)), splat(kMost))) + zero;
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
      put((T*)s.y, i, nearest(get(x, i, lanes) / scale, zero), lanes);
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

void quantized_product(const QuantizedProductFields& s) {
  const Tiling<2> t(s.dims, s.a_strides, s.b_strides);
  const vf scale = splat((float)s.output_scale);
  const int zero = (int)s.zero_point;
  map_tiles<float>({s.a, s.b}, (uint8_t*)s.y, t, s.threads,
                   [=](const vf* x) { return nearest(x[0] * x[1] / scale, zero); });
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

// What becomes of sums of products: y = activation((sums + bias)·scale + residual), as what the result's type and scale say.
struct Requantizing {
  const float* scale;  // by channel, as the bias
  const int32_t* bias;
  const uint8_t* residual;  // may be absent
  char* y;
  int64_t to, activation, residual_zero_point, zero_point;
  double residual_scale, output_scale;
  template <class Fields>
  explicit Requantizing(const Fields& s)
      : scale(s.scale), bias(s.bias), residual(s.residual), y((char*)s.y), to(s.to), activation(s.activation),
        residual_zero_point(s.residual_zero_point), zero_point(s.zero_point), residual_scale(s.residual_scale),
        output_scale(s.output_scale) {}
  // The same of the results from `at` on.
  Requantizing from(int64_t at) const {
    Requantizing rest = *this;
    rest.y += (to == kUint8 ? 1 : 4) * at;
    if (residual) rest.residual += at;
    return rest;
  }
};

// Makes results of sums with their biases.
template <class Y, class Act>
struct Requantizer {
  const Requantizing& s;
  Y* y = (Y*)s.y;
  // Multiplied by, as a division takes as long as all else: of integers, nothing says which of two in the middle is right.
  vf residual_scale = splat((float)s.residual_scale), steps = splat((float)(1 / s.output_scale));
  float residual_zero = (float)s.residual_zero_point;
  int zero = (int)s.zero_point;

  // The n channels from c on of a pixel, which lie at `at`. Inlined, so that of whole vectors nothing asks how many lanes there are.
  inline __attribute__((always_inline)) void operator()(vf sums, int64_t at, int64_t c, int n) const {
    vf v = sums * get(s.scale, c, n);
    if (s.residual) v += (get(s.residual, at, n) - residual_zero) * residual_scale;
    v = Act::value(v);
    if constexpr (sizeof(Y) == 1) {
      put(y, at, nearest(v * steps, zero), n);
    } else {
      put(y, at, v, n);
    }
  }
};

// Calls body with the one for the activation and type of results.
template <class Body>
inline void with_requantizer(const Requantizing& s, Body body) {
  with_activation(s.activation, [&](auto act) {
    using Act = decltype(act);
    s.to == kUint8 ? body(Requantizer<uint8_t, Act>{s}) : body(Requantizer<float, Act>{s});
  });
}

template <class Sum>
inline void requantize_rows(const Requantizing& s, const Sum* sums, int64_t rows, int64_t columns, int threads) {
  with_requantizer(s, [&](const auto& result) {
    const auto vector = [&](int64_t at, int64_t c, int n) __attribute__((always_inline)) {
      result(biased(sums + at, s.bias + c, n), at, c, n);
    };
    const int64_t whole = columns / kLanes * kLanes;
    parallel(rows, kGrain / columns + 1, threads, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) {
        const int64_t first = row * columns;
        for (int64_t c = 0; c < whole; c += kLanes) vector(first + c, c, kLanes);
        if (whole < columns) vector(first + whole, whole, (int)(columns - whole));
      }
    });
  });
}

// So many channels at most, in rows that were joined.
constexpr int64_t kMostJoined = 2048;

// A vector that is not whole takes as long as ten that are. So where rows of pixels are none of whole vectors, as many are taken for
// one as make it so: 2 of 24 channels. Their scales and biases are repeated.
template <class Sum>
inline void requantize_sums(const Requantizing& s, const Sum* sums, int64_t rows, int64_t columns, int threads) {
  int64_t joined = 1;
  while (joined * columns % kLanes) joined *= 2;
  const int64_t wide = joined * columns, wide_rows = rows / joined;
  if (joined == 1 || wide > kMostJoined || wide_rows < 4) return requantize_rows(s, sums, rows, columns, threads);
  float scale[kMostJoined];
  int32_t bias[kMostJoined];
  for (int64_t c = 0; c < wide; c++) scale[c] = s.scale[c % columns], bias[c] = s.bias[c % columns];
  Requantizing repeated = s;
  repeated.scale = scale, repeated.bias = bias;
  requantize_rows(repeated, sums, wide_rows, wide, threads);
  const int64_t done = wide_rows * wide, left = rows - wide_rows * joined;
  if (left > 0) requantize_rows(s.from(done), sums + done, left, columns, threads);
}

void fold_zero_point(const FoldZeroPointFields& s) {
  for (int64_t c = 0; c < s.channels; c++) {
    int64_t sum = 0;
    for (int64_t i = 0; i < s.per_channel; i++) sum += s.weight[c * s.per_channel + i];
    s.folded[c] = (int32_t)(uint32_t)(s.bias[c] - s.zero_point * sum);
  }
}

}  // namespace
