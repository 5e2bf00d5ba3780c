// The weight gradient of depthwise convolutions, directly over NHWC: oneDNN 2.6 has no fast one for 5×5 windows, and none
// that adds up slices of the batch. A block of rows is gathered with its padding; the sums of as many rows of the window as fit
// stay in registers over all of it.
#pragma once
#include "window.h"

namespace {

// A row of pixels, of one vector of channels from `from` on, as floats. Other pixels of `room` are zero.
template <class T>
inline void gather(const T* from, int64_t pixels, int64_t channels, int lanes, int64_t before, int64_t room, float* to) {
  memset(to, 0, before * kLanes * sizeof(float));
  for (int64_t i = 0; i < pixels; i++) store(to + (before + i) * kLanes, get(from, i * channels, lanes));
  memset(to + (before + pixels) * kLanes, 0, (room - before - pixels) * kLanes * sizeof(float));
}

// So many rows of the output and what their windows see, gathered: rows of dy of `width` pixels, and rows of x of `room`, padding and all.
struct DepthwiseBlock {
  int64_t rows, width, room, stride_y, stride_x;
};

// Adds the products of so many rows of the window. A function of its own, as all types share it: its loops are unrolled into many
// instructions.
template <int K, int Rows>
__attribute__((noinline)) void depthwise_taps(const DepthwiseBlock& b, const float* x, const float* dy, float* partial,
                                              int64_t spread) {
  vf sums[Rows][K];
  for (int ky = 0; ky < Rows; ky++) {
    for (int kx = 0; kx < K; kx++) sums[ky][kx] = load(partial + (ky * K + kx) * spread);
  }
  for (int64_t r = 0; r < b.rows; r++, x += b.stride_y * b.room * kLanes) {
    const float* rows[Rows];
    for (int ky = 0; ky < Rows; ky++) rows[ky] = x + ky * b.room * kLanes;
    for (int64_t i = 0, at = 0; i < b.width; i++, at += b.stride_x * kLanes, dy += kLanes) {
      const vf g = load(dy);
      UNROLLED
      for (int ky = 0; ky < Rows; ky++) {
        UNROLLED
        for (int kx = 0; kx < K; kx++) sums[ky][kx] = vmadd(g, load(rows[ky] + at + kx * kLanes), sums[ky][kx]);
      }
    }
  }
  for (int ky = 0; ky < Rows; ky++) {
    for (int kx = 0; kx < K; kx++) store(partial + (ky * K + kx) * spread, sums[ky][kx]);
  }
}

// As many rows of the window at a time as have their sums in registers.
template <int K, int From = 0>
inline void depthwise_window(const DepthwiseBlock& b, const float* x, const float* dy, float* partial, int64_t spread) {
  constexpr int kSums = kLanes == 16 ? 28 : 12;  // of 32 registers, or 16: a few are left for what is multiplied
  constexpr int kMost = kSums / K > 1 ? kSums / K : 1;
  if constexpr (From < K) {
    constexpr int kRows = kMost < K - From ? kMost : K - From;
    depthwise_taps<K, kRows>(b, x + From * b.room * kLanes, dy, partial + From * K * spread, spread);
    depthwise_window<K, From + kRows>(b, x, dy, partial, spread);
  }
}

// Adds so many vectors to a sum.
inline void add_vectors(const float* from, int64_t count, float* sum) {
  vf all{};
  for (int64_t i = 0; i < count; i++) all += load(from + i * kLanes);
  store(sum, load(sum) + all);
}

// Where sums by tap and channel lie, so that a vector of channels is one piece, however wide.
inline int64_t spread_channels(int64_t channels) { return (channels + kTileLanes - 1) / kTileLanes * kTileLanes; }

template <int K, class T>
inline void depthwise_weights(const DepthwiseWeightGradientFields& s) {
  const Window p(s, K, K);
  const int64_t spread = spread_channels(p.c), room = at_least(p.left + p.w, (p.ow - 1) * p.sw + K);
  const T *x = (const T*)s.x, *dy = (const T*)s.dy;
  parallel((p.c + kLanes - 1) / kLanes, 1, s.threads, [&](int64_t begin, int64_t end, int thread) {
    float *seen = s.block.of(thread), *gradient = seen + ((s.block_rows - 1) * p.sh + K) * room * kLanes;
    for (int64_t row = 0; row < p.n * p.oh; row += at_most(s.block_rows, p.oh - row % p.oh)) {
      const int64_t n = row / p.oh, oy = row % p.oh, top = oy * p.sh - p.top;
      const DepthwiseBlock block{at_most(s.block_rows, p.oh - oy), p.ow, room, p.sh, p.sw};
      for (int64_t c = begin * kLanes; c < end * kLanes; c += kLanes) {
        const int lanes = lanes_at(c, p.c);
        for (int64_t r = 0; r < (block.rows - 1) * p.sh + K; r++) {
          const int64_t iy = top + r;
          float* line = seen + r * room * kLanes;
          if (iy < 0 || iy >= p.h) memset(line, 0, room * kLanes * sizeof(float));
          else gather(x + (n * p.h + iy) * p.w * p.c + c, p.w, p.c, lanes, p.left, room, line);
        }
        for (int64_t r = 0; r < block.rows; r++) {
          gather(dy + (row + r) * p.ow * p.c + c, p.ow, p.c, lanes, 0, p.ow, gradient + r * p.ow * kLanes);
        }
        depthwise_window<K>(block, seen, gradient, s.sums.of(0) + c, spread);
        if (s.bias) add_vectors(gradient, block.rows * p.ow, s.sums.of(0) + K * K * spread + c);
      }
    }
  });
}

// Adds to the sums [taps, and one of the bias, channels spread]. In shared steps, threads share channels, and with them the sums of the first.
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
    for (int64_t k = 0; k < taps; k++) s.dw[c * taps + k] = sum_of_threads(s.sums, s.threads, k * spread + c);
    if (s.db) s.db[c] = sum_of_threads(s.sums, s.threads, taps * spread + c);
  }
}

}  // namespace
