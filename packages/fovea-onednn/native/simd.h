// Sixteen floats at a time, as GCC/Clang vectors: the compiler splits them for narrower instruction sets, so one source
// serves AVX-512, AVX2 and plain builds. Everything is in an anonymous namespace: each instruction set's translation
// unit must keep its own copies, or the linker could hand AVX-512 code to an older processor.
#pragma once
#include <cstdint>
#include <cstring>

namespace {

constexpr int kLanes = 16;
typedef float vf __attribute__((vector_size(64)));
typedef int32_t vi __attribute__((vector_size(64)));
typedef uint32_t vu __attribute__((vector_size(64)));
typedef uint16_t vh __attribute__((vector_size(32)));

struct bf16 {
  uint16_t bits;
};

inline vf splat(float x) { return vf{} + x; }

inline vf load(const float* p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}
inline vf load(const bf16* p) {
  vh h;
  memcpy(&h, p, sizeof h);
  return (vf)(__builtin_convertvector(h, vu) << 16);
}
inline void store(float* p, vf v) { memcpy(p, &v, sizeof v); }
// Rounds to nearest, ties to even, as oneDNN and PyTorch do.
inline void store(bf16* p, vf v) {
  vu u = (vu)v;
  vu rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  vh h = __builtin_convertvector(rounded, vh);
  memcpy(p, &h, sizeof h);
}

// The first n of 16 lanes, the others zero: for the tail of an array.
template <class T>
inline vf load_n(const T* p, int n) {
  T lanes[kLanes] = {};
  memcpy(lanes, p, n * sizeof(T));
  return load(lanes);
}
template <class T>
inline void store_n(T* p, vf v, int n) {
  T lanes[kLanes];
  store(lanes, v);
  memcpy(p, lanes, n * sizeof(T));
}

inline float to_float(float x) { return x; }
inline float to_float(bf16 x) {
  uint32_t u = (uint32_t)x.bits << 16;
  float f;
  memcpy(&f, &u, sizeof f);
  return f;
}
inline void from_float(float* p, float x) { *p = x; }
inline void from_float(bf16* p, float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  p->bits = (uint16_t)((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

inline vf select(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
inline vf vmax(vf a, vf b) { return a > b ? a : b; }
inline vf vmin(vf a, vf b) { return a < b ? a : b; }

// exp by 2^n · p(r), |r| <= ln2/2, p of degree 6: relative error below 2e-7 where the result is a normal number.
inline vf vexp(vf x) {
  x = vmin(splat(88.0f), vmax(splat(-87.0f), x));  // in this order NaN stays NaN
  const vf magic = splat(12582912.0f);  // 1.5·2^23: adding it rounds to an integer
  vf n = (x * 1.44269504088896341f + magic) - magic;
  vf r = x - n * 0.693145751953125f - n * 1.42860682030941723e-6f;
  vf p = splat(1.0f / 720);
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  vi exponent = (__builtin_convertvector(n, vi) + 127) << 23;
  return p * (vf)exponent;
}

inline vf vsigmoid(vf x) { return 1.0f / (1.0f + vexp(-x)); }

// erf by Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7.
inline vf verf(vf x) {
  vf a = x < 0 ? -x : x;
  vf t = 1.0f / (1.0f + 0.3275911f * a);
  vf p = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
  vf y = 1.0f - p * vexp(-a * a);
  return x < 0 ? -y : y;
}

}  // namespace
