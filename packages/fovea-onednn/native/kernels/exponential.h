// The exponential, and what activations make of it: the logistic function and the normal distribution.
#pragma once
#include <type_traits>

#include "../simd.h"

namespace {

// Of a result of type T few digits are kept: eight bits.
template <class T>
constexpr bool kIsBrief = std::is_same_v<T, bf16>;

// 2^x for a result of type T: 2^n·p(x − n), p fitted to the least relative error, 1e-7, and 3e-6 for a brief one.
#if defined(__AVX512F__)
// n is the whole number below x. Of what is not brief, x is at most 126: vreciprocal must get no infinity.
template <class T>
inline vf vexp2(vf x) {
  if constexpr (!kIsBrief<T>) x = vmin(splat(126.0f), x);  // in this order NaN stays NaN
  const vf f = (vf)_mm512_maskz_reduce_ps(0xffff, (__m512)x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  vf p;
  if constexpr (kIsBrief<T>) {
    p = 0.01342668372f * f + 0.05224247534f;
    p = p * f + 0.2412802041f;
    p = p * f + 0.693044845f;
  } else {
    p = 0.001867130212f * f + 0.009017029963f;
    p = p * f + 0.05579991343f;
    p = p * f + 0.24016445f;
    p = p * f + 0.6931513118f;
  }
  p = p * f + 1.0f;
  return (vf)_mm512_maskz_scalef_ps(0xffff, (__m512)p, (__m512)x);  // takes the whole number below x itself
}
#else
// n is the nearest whole number, x within ±100. Not as far as floats go: what SiLU and GELU make of it, and a layer's products
// with that, are to be no subnormal numbers, slow where they cannot be switched off.
template <class T>
inline vf vexp2(vf x) {
  x = vmin(splat(100.0f), vmax(splat(-100.0f), x));  // in this order NaN stays NaN
#if defined(__wasm_simd128__)
  // What vround does, in two steps: the sum's last bits are the whole number, which WebAssembly converts slowly.
  const vf sum = x + 12582912.0f, n = sum - 12582912.0f;
  const vi exponent = ((vi)sum + 127) << 23;
#else
  const vf n = vround(x);
  const vi exponent = (__builtin_convertvector(n, vi) + 127) << 23;
#endif
  const vf f = x - n;
  vf p = vmadd(splat(0.00132646703f), f, splat(0.00967151299f));
  p = vmadd(p, f, splat(0.0555073395f));
  p = vmadd(p, f, splat(0.240222424f));
  p = vmadd(p, f, splat(0.693147004f));
  p = vmadd(p, f, splat(1.0f));
  return p * (vf)exponent;
}
#endif

// 1/x for a result of type T, x positive and finite. Where there is an estimate of 14 bits, it will do for a brief one, and a step of
// Newton's method gives the digits of a float.
template <class T>
inline vf vreciprocal(vf x) {
#if defined(__AVX512F__)
  const vf estimate = (vf)_mm512_maskz_rcp14_ps(0xffff, (__m512)x);
  if constexpr (kIsBrief<T>) return estimate;
  return estimate * (2.0f - x * estimate);
#else
  return 1.0f / x;
#endif
}

template <class T>
inline vf vsigmoid(vf x) {
  return vreciprocal<T>(1.0f + vexp2<T>(x * -1.44269504088896341f));
}

// The standard normal distribution: its cumulative function, and its density times √(2π). By erf(x/√2) of Abramowitz and
// Stegun 7.1.26, whose absolute error is below 1.5e-7.
template <class T>
struct Normal {
  vf cumulative, bell;
  explicit Normal(vf x) : bell(vexp2<T>(x * x * -0.72134752044448171f)) {
    const vf t = vreciprocal<T>(1.0f + 0.3275911f * 0.70710678118654752f * vabs(x));
    const vf p = ((((0.5307027145f * t - 0.7265760135f) * t + 0.7107068705f) * t - 0.142248368f) * t + 0.127414796f) * t;
    const vf tail = p * bell;
    cumulative = x < 0 ? tail : 1.0f - tail;
  }
};

}  // namespace
