// Convolutions in integers: exact sums in 32 bits, by the same walk as those of floats (convolution.h). Pairs of 16 bits take the place
// of floats, and one instruction adds up the two products of a pair. (That of relaxed SIMD for products of bytes takes only 7 bits
// for one of them, and ours both have 8.)
#pragma once
#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "convolution.h"
#include "quantization.h"

namespace {

// Two whole numbers of 16 bits side by side.
struct Pairs {
  using Number = int32_t;
  using Vector = vi;
#if defined(__wasm_simd128__)
  typedef int16_t Halves __attribute__((vector_size(16)));
#endif
  static inline vi vector(const int32_t* p) { return bits_as<vi>(load((const float*)p)); }
  static inline vi splat(const int32_t* p) { return vi{*p, *p, *p, *p}; }
  static inline vi add_product(vi a, vi b, vi sum) {
#if defined(__wasm_simd128__)
    return sum + (vi)__builtin_wasm_dot_s_i32x4_i16x8((Halves)a, (Halves)b);
#elif defined(__SSE2__)
    return sum + (vi)_mm_madd_epi16((__m128i)a, (__m128i)b);
#elif defined(__aarch64__)
    const int16x8_t x = (int16x8_t)a, y = (int16x8_t)b;
    return sum + (vi)vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y));
#else
    return sum + (a << 16 >> 16) * (b << 16 >> 16) + (a >> 16) * (b >> 16);
#endif
  }
};

inline int32_t pair_of(int first, int second) { return (int32_t)((uint32_t)(uint16_t)first | (uint32_t)second << 16); }

// Rows of bytes as pairs; where a last one is without another, 0 is.
void integer_pairs(const IntegerPairsFields& s) {
  const int64_t pairs = (s.columns + 1) / 2;
  parallel(s.rows, kGrain / s.columns + 1, s.threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; row++) {
      const uint8_t* __restrict x = s.x + row * s.columns;
      int16_t* __restrict y = (int16_t*)(s.pairs + row * pairs);
      for (int64_t i = 0; i < s.columns; i++) y[i] = x[i];
      if (s.columns % 2) y[s.columns] = 0;
    }
  });
}

// In panels, as pack_weights has them, with a row for two channels that are read.
void pack_integer_weights(const PackIntegerWeightsFields& s) {
  const int64_t pairs = (s.inputs + 1) / 2;
  const Panels<int32_t> panels(s.packed, s.groups, pairs, s.outputs, s.taps);
  parallel(s.groups * panels.panels(), kGrain / (s.taps * s.inputs * kPanel) + 1, s.threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t group = i / panels.panels(), first = i % panels.panels() * kPanel;
      int32_t* to = s.packed + panels.offset(group, i % panels.panels());
      for (int64_t tap = 0; tap < s.taps; tap++) {
        for (int64_t input = 0; input < s.inputs; input += 2) {
          for (int64_t output = first; output < first + kPanel; output++) {
            const int8_t* from = s.weight + ((group * s.outputs + output) * s.inputs + input) * s.taps + tap;
            *to++ = output < s.outputs ? pair_of(from[0], input + 1 < s.inputs ? from[s.taps] : 0) : 0;
          }
        }
      }
    }
  });
}

static_assert(kAtOnce <= 24, "`pixelsAtOnce` in fovea/src/engines/planned/kernels/convolution-kernels.ts");

// Sums of a few pixels, of which results are made while they are in the nearest cache. They are written as bits.
struct IntegerSums {
  const Requantizing& to;
  int32_t* sums;
  int64_t first, channels;
  vi bias_of(int64_t, int) const { return vi{}; }
  void put_sum(int64_t at, vi sum, int lanes) const { put((float*)sums, at - first * channels, (vf)sum, lanes); }
  void finish(int64_t, int64_t last) {
    requantize_sums(to.from(first * channels), sums, last - first, channels, 1);
    first = last;
  }
};

void integer_convolution(const IntegerConvolutionFields& s) {
  const Requantizing to(s);
  convolve_forward<Pairs>(s, pair_of((int)s.padding, (int)s.padding), [&](int thread, int64_t first) {
    return IntegerSums{to, s.sums.of(thread), first, s.groups * s.outputs};
  });
}

}  // namespace
