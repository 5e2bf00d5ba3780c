// What all kernels share: dispatch over element types and activations, and the view of a NHWC tensor as rows of channels
// widened to whole vectors, split over threads.
#pragma once
#include "kernel_fields.h"
#include "../parallel.h"
#include "exponential.h"

namespace {

constexpr int64_t kGrain = 8192;  // elements below which a second thread costs more than it brings

// What all threads have added up at a place.
inline float sum_of_threads(const PerThread<float>& sums, int threads, int64_t at) {
  float sum = 0;
  for (int t = 0; t < threads; t++) sum += sums.of(t)[at];
  return sum;
}

// Of floats: a plan with another is not built.
template <class Body>
inline void with_type(int64_t type, Body body) {
  switch (type) {
    case kFloat32: return body(float{});
    case kBfloat16: return body(bf16{});
    default: return body(f16{});
  }
}

// Of what is moved or compared, and not computed with: bytes too.
template <class Body>
inline void with_moved(int64_t type, Body body) {
  if (type == kUint8) return body(uint8_t{});
  with_type(type, body);
}

// As precise as T, the type of what it comes to.
template <int64_t K, class T = float>
struct Activation {
  static inline vf value(vf x) {
    if constexpr (K == kRelu) return x <= 0 ? vf{} : x;  // keeps NaN
    if constexpr (K == kRelu6) return x <= 0 ? vf{} : (x >= 6 ? splat(6) : x);
    if constexpr (K == kSilu) return x * vsigmoid<T>(x);
    if constexpr (K == kGelu) return x * Normal<T>(x).cumulative;
    if constexpr (K == kSigmoid) return vsigmoid<T>(x);
    if constexpr (K == kHardSwish) return x * (vmin(vmax(x + 3, vf{}), splat(6)) * (1.0f / 6));
    return x;
  }
  // By the input x.
  static inline vf derivative(vf x) {
    if constexpr (K == kRelu) return x > 0 ? splat(1) : vf{};
    if constexpr (K == kRelu6) return (vf)((x > 0) & (x < 6) & (vi)splat(1));
    if constexpr (K == kSilu) {
      const vf s = vsigmoid<T>(x);
      return s * (1.0f + x * (1.0f - s));
    }
    if constexpr (K == kGelu) {
      const Normal<T> normal(x);
      return normal.cumulative + x * normal.bell * 0.3989422804014327f;
    }
    if constexpr (K == kSigmoid) {
      const vf s = vsigmoid<T>(x);
      return s * (1.0f - s);
    }
    if constexpr (K == kHardSwish) {
      return x <= -3 ? vf{} : (x >= 3 ? splat(1) : (2.0f * x + 3.0f) * (1.0f / 6));
    }
    return splat(1);
  }
};

template <class T = float, class Body>
inline void with_activation(int64_t kind, Body body) {
  switch (kind) {
    case kRelu: return body(Activation<kRelu, T>{});
    case kRelu6: return body(Activation<kRelu6, T>{});
    case kSilu: return body(Activation<kSilu, T>{});
    case kGelu: return body(Activation<kGelu, T>{});
    case kSigmoid: return body(Activation<kSigmoid, T>{});
    case kHardSwish: return body(Activation<kHardSwish, T>{});
    default: return body(Activation<kNone, T>{});
  }
}

// Rows of `channels` values seen as rows of `width` = channels · repeat, a multiple of 16 and at least 64, whatever a vector
// holds: per-channel tables are repeated to that width, and no vector crosses a table's end.
struct Rows {
  int64_t channels, repeat, width;
  explicit Rows(int64_t c) : channels(c), repeat(repeat_of(c)), width(channels * repeat) {}
  void spread(float* table) const {
    for (int64_t i = channels; i < width; i++) table[i] = table[i - channels];
  }
};

// Applies body(offset, column, lanes) to every vector of `elements` values, split over threads; lanes < kLanes only in
// the last vector of all. `column` indexes tables spread to rows.width. The body should hold its
// pointers by value (parallel.h).
template <class Body>
inline void for_each_vector(const Rows& rows, int64_t elements, int threads, Body body) {
  int64_t wide = elements / rows.width;
  int64_t grain = kGrain / rows.width + 1;
  parallel(wide, grain, threads, [body, width = rows.width](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; r++) {
      for (int64_t c = 0; c < width; c += kLanes) body(r * width + c, c, kLanes);
    }
  });
  for (int64_t at = wide * rows.width; at < elements; at += kLanes) {
    int lanes = elements - at < kLanes ? (int)(elements - at) : kLanes;
    body(at, at - wide * rows.width, lanes);
  }
}

// The same without tables, over a flat array.
template <class Body>
inline void for_each_flat(int64_t elements, int threads, Body body) {
  int64_t whole = elements / kLanes;
  parallel(whole, kGrain / kLanes, threads, [body](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++) body(i * kLanes, kLanes);
  });
  if (whole * kLanes < elements) body(whole * kLanes, (int)(elements - whole * kLanes));
}

template <class T>
inline vf get(const T* p, int64_t at, int lanes) {
  return lanes == kLanes ? load(p + at) : load_n(p + at, lanes);
}
template <class T>
inline void put(T* p, int64_t at, vf v, int lanes) {
  if (lanes == kLanes) {
    store(p + at, v);
  } else {
    store_n(p + at, v, lanes);
  }
}

// Whole numbers, limited to those that bytes hold.
inline void put(uint8_t* p, int64_t at, vi v, int lanes) {
  if (lanes == kLanes) return store_limited(p + at, v);
  uint8_t all[kLanes];
  store_limited(all, v);
  memcpy(p + at, all, lanes);
}
inline void put(int8_t* p, int64_t at, vi v, int lanes) {
  for (int lane = 0; lane < lanes; lane++) {
    p[at + lane] = (int8_t)(v[lane] < INT8_MIN ? INT8_MIN : v[lane] > INT8_MAX ? INT8_MAX : v[lane]);
  }
}

}  // namespace
