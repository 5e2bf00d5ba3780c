// Depthwise convolutions in integers, with all that follows, in one pass. No processor has an instruction that adds up such
// products: a window holds one number of each channel. They are computed as floats, which hold the sums exactly (at most
// 49·255·128 < 2^24), from rows that are converted once for all windows that reach into them.
#pragma once
#include <type_traits>

#include "depthwise.h"
#include "quantization.h"

namespace {

// Sums of a vector of channels: `count` windows, `step` pixels apart, of rows whose pixels lie side by side, as do the weights' taps.
template <int K>
__attribute__((noinline)) void depthwise_sums(const float* const* rows, const float* weights, int64_t count,
                                              int64_t step, float* sums) {
  constexpr int kAtOnce = 4;
  const auto windows = [&](int64_t ox, auto at_once) __attribute__((always_inline)) {
    constexpr int N = decltype(at_once)::value;
    vf all[N] = {};
#pragma GCC unroll 8
    for (int ky = 0; ky < K; ky++) {
      const float* row = rows[ky] + ox * step * kLanes;
#pragma GCC unroll 8
      for (int kx = 0; kx < K; kx++) {
        const vf weight = load(weights + (ky * K + kx) * kLanes);
        for (int i = 0; i < N; i++) all[i] += weight * load(row + (i * step + kx) * kLanes);
      }
    }
    for (int i = 0; i < N; i++) store(sums + (ox + i) * kLanes, all[i]);
  };
  int64_t ox = 0;
  for (; ox + kAtOnce <= count; ox += kAtOnce) windows(ox, std::integral_constant<int, kAtOnce>{});
  for (; ox < count; ox++) windows(ox, std::integral_constant<int, 1>{});
}

template <int K, class Result>
inline void integer_depthwise_rows(const IntegerDepthwiseFields& s, const Result& result) {
  const Window p(s, K, K);
  const int64_t spread = spread_channels(p.c), width = (p.ow - 1) * p.sw + K;
  const float padding = (float)s.padding;
  // Of a padded row: where x begins and ends.
  const int64_t from = at_most(p.left, width), until = at_most(p.left + p.w, width);
  parallel(p.n * p.oh, kGrain / (p.ow * p.c) + 1, s.threads, [&](int64_t begin, int64_t end, int thread) {
    float* table = s.table.of(thread);
    for (int64_t c = 0; c < spread; c++) {
      float* weights = table + c / kLanes * K * K * kLanes + c % kLanes;
      for (int k = 0; k < K * K; k++) weights[k * kLanes] = c < p.c ? s.weight[c * K * K + k] : 0;
    }
    for (int64_t first = 0; first < p.c; first += s.block) {
      const int64_t last = at_most(first + s.block, p.c), row_size = width * s.block;
      // K rows of x in turns, one of padding, and the sums of a row of y: of each vector of channels, pixel after pixel.
      float* const held = s.rows.of(thread);
      float* const outside = held + K * row_size;
      float* const sums = outside + row_size;
      for (int64_t i = 0; i < row_size; i++) outside[i] = padding;
      const auto convert = [&](const uint8_t* row, float* to) {
        for (int64_t c = first; c < last; c += kLanes, to += width * kLanes) {
          const auto inside = [&](int lanes) __attribute__((always_inline)) {
            for (int64_t i = from; i < until; i++) store(to + i * kLanes, get(row, (i - p.left) * p.c + c, lanes));
          };
          for (int64_t i = 0; i < from; i++) store(to + i * kLanes, splat(padding));
          const int lanes = lanes_at(c, p.c);
          lanes == kLanes ? inside(kLanes) : inside(lanes);
          for (int64_t i = until; i < width; i++) store(to + i * kLanes, splat(padding));
        }
      };
      int64_t converted = 0;  // rows of x before this one have been
      for (int64_t row = begin; row < end; row++) {
        const int64_t image = row / p.oh, oy = row % p.oh, top = oy * p.sh - p.top;
        if (row == begin || oy == 0) converted = at_least(0, top);
        for (converted = at_least(converted, top); converted < at_most(top + K, p.h); converted++) {
          convert(s.x + (image * p.h + converted) * p.w * p.c, held + converted % K * row_size);
        }
        for (int64_t c = first; c < last; c += kLanes) {
          const int64_t at = (c - first) * width;
          const float* rows[K];
          for (int ky = 0; ky < K; ky++) {
            const int64_t iy = top + ky;
            rows[ky] = (iy >= 0 && iy < p.h ? held + iy % K * row_size : outside) + at;
          }
          depthwise_sums<K>(rows, table + c * K * K, p.ow, p.sw, sums);
          const int lanes = lanes_at(c, p.c);
          const auto finish = [&](int lanes) __attribute__((always_inline)) {
            const vi bias = (vi)integers(s.bias + c, lanes);
            for (int64_t ox = 0; ox < p.ow; ox++) {
              const vi sum = __builtin_convertvector(load(sums + ox * kLanes), vi) + bias;
              result(__builtin_convertvector(sum, vf), (row * p.ow + ox) * p.c + c, c, lanes);
            }
          };
          lanes == kLanes ? finish(kLanes) : finish(lanes);
        }
      }
    }
  });
}

// `rows` holds K + 1 padded rows of a block of channels, and sums of one vector. One block fits into the cache.
void integer_depthwise(const IntegerDepthwiseFields& s) {
  with_requantizer(Requantizing(s), [&](const auto& result) {
    if (s.kernel == 3) integer_depthwise_rows<3>(s, result);
    if (s.kernel == 5) integer_depthwise_rows<5>(s, result);
    if (s.kernel == 7) integer_depthwise_rows<7>(s, result);
  });
}

}  // namespace
