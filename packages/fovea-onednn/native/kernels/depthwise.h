// The weight gradient of depthwise convolutions, directly over NHWC: oneDNN 2.6 has no fast one for 5×5 windows, and none
// that adds up slices of the batch. The sums of a window stay in registers
// where they fit.
#pragma once
#include "window.h"

namespace {

// The vectors [begin, end) of channels of a row of pixels as floats, one vector after another, its pixels side by side: the
// row is read in order, and the taps read what lies in order too.
template <class T>
inline void gather(const T* row, int64_t pixels, int64_t channels, int64_t begin, int64_t end, float* to) {
  for (int64_t i = 0; i < pixels; i++) {
    for (int64_t v = begin; v < end; v++) {
      const int64_t c = v * kLanes;
      store(to + ((v - begin) * pixels + i) * kLanes, get(row, i * channels + c, lanes_at(c, channels)));
    }
  }
}

// Adds what one row of dy gives to the sums of all taps, which stay in registers; rows[ky] is nullptr beyond the image.
// A function of its own, as all types share it: its loops are unrolled into many instructions.
template <int K>
__attribute__((noinline)) void depthwise_row(const Window& p, const float* const* rows, const float* dy, vf* sums) {
  const auto edge = [&](int64_t from, int64_t to) {
    for (int64_t ox = from; ox < to; ox++) {
      const int64_t ix = ox * p.sw - p.left;
      const vf g = load(dy + ox * kLanes);
      for (int ky = 0; ky < K; ky++) {
        if (!rows[ky]) continue;
        for (int kx = 0; kx < K; kx++) {
          if (ix + kx >= 0 && ix + kx < p.w) sums[ky * K + kx] += g * load(rows[ky] + (ix + kx) * kLanes);
        }
      }
    }
  };
  bool inside = true;
  for (int ky = 0; ky < K; ky++) inside = inside && rows[ky];
  // Between these columns the window lies within the row.
  const int64_t first = at_most((p.left + p.sw - 1) / p.sw, p.ow);
  const int64_t last = p.w + p.left >= K ? at_least(at_most((p.w + p.left - K) / p.sw + 1, p.ow), first) : first;
  if (!inside) return edge(0, p.ow);
  edge(0, first);
  vf in_registers[K * K];
  for (int k = 0; k < K * K; k++) in_registers[k] = sums[k];
  for (int64_t ox = first; ox < last; ox++) {
    const vf g = load(dy + ox * kLanes);
    const int64_t at = (ox * p.sw - p.left) * kLanes;
#pragma GCC unroll 8
    for (int ky = 0; ky < K; ky++) {
#pragma GCC unroll 8
      for (int kx = 0; kx < K; kx++) in_registers[ky * K + kx] += g * load(rows[ky] + at + kx * kLanes);
    }
  }
  for (int k = 0; k < K * K; k++) sums[k] = in_registers[k];
  edge(last, p.ow);
}

// Where sums by tap and channel lie, so that a vector of channels is one piece, however wide.
inline int64_t spread_channels(int64_t channels) { return (channels + kTileLanes - 1) / kTileLanes * kTileLanes; }

// Adds what one image gives to the sums of the vectors [begin, end) of channels. `held` has room for K gathered rows of x
// and one of dy.
template <int K, class T>
inline void depthwise_image(const Window& p, const T* x, const T* dy, int64_t begin, int64_t end, float* held,
                            float* partial) {
  const int64_t spread = spread_channels(p.c), row_size = (end - begin) * p.w * kLanes;
  float* gradient = held + K * row_size;
  int64_t gathered = 0;  // rows of x before this one have been
  for (int64_t oy = 0; oy < p.oh; oy++) {
    const int64_t top = oy * p.sh - p.top;
    for (gathered = at_least(gathered, top); gathered < at_most(top + K, p.h); gathered++) {
      gather(x + gathered * p.w * p.c, p.w, p.c, begin, end, held + gathered % K * row_size);
    }
    gather(dy + oy * p.ow * p.c, p.ow, p.c, begin, end, gradient);
    for (int64_t v = begin; v < end; v++) {
      const float* rows[K];
      for (int64_t ky = 0; ky < K; ky++) {
        const int64_t iy = top + ky;
        rows[ky] = iy >= 0 && iy < p.h ? held + iy % K * row_size + (v - begin) * p.w * kLanes : nullptr;
      }
      vf sums[K * K];
      for (int k = 0; k < K * K; k++) sums[k] = load(partial + k * spread + v * kLanes);
      depthwise_row<K>(p, rows, gradient + (v - begin) * p.ow * kLanes, sums);
      for (int k = 0; k < K * K; k++) store(partial + k * spread + v * kLanes, sums[k]);
    }
  }
}

template <int K, class T>
inline void depthwise_weights(const DepthwiseWeightGradientFields& s) {
  const Window p(s, K, K);
  const T *x = (const T*)s.x, *dy = (const T*)s.dy;
  parallel((p.c + kLanes - 1) / kLanes, 1, s.threads, [&](int64_t begin, int64_t end, int thread) {
    float* held = s.rows.of(thread);
    for (int64_t n = 0; n < p.n; n++) {
      const T *xn = x + n * p.h * p.w * p.c, *dyn = dy + n * p.oh * p.ow * p.c;
      depthwise_image<K>(p, xn, dyn, begin, end, held, s.sums.of(0));
    }
  });
}

// Adds to the sums [taps, channels spread]; `rows` holds so many rows of x as the window has, and one of dy, in float. In
// shared steps, threads share channels, and with them the sums of the first.
void depthwise_weight_gradient(const DepthwiseWeightGradientFields& s) {
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    if (s.kernel == 3) depthwise_weights<3, T>(s);
    if (s.kernel == 5) depthwise_weights<5, T>(s);
    if (s.kernel == 7) depthwise_weights<7, T>(s);
  });
}

// dw lies dense [channels, 1, k, k].
void depthwise_weight_gradient_merge(const DepthwiseWeightGradientMergeFields& s) {
  const int64_t taps = s.taps, spread = spread_channels(s.channels);
  for (int64_t c = 0; c < s.channels; c++) {
    for (int64_t k = 0; k < taps; k++) {
      float sum = 0;
      for (int t = 0; t < s.threads; t++) sum += s.sums.of(t)[k * spread + c];
      s.dw[c * taps + k] = sum;
    }
  }
}

}  // namespace
