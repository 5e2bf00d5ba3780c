// As many floats at a time as a register holds, as GCC/Clang vectors, so that one source serves AVX-512, AVX2 and plain
// builds; of wider vectors than a register GCC keeps the parts in memory. Everything is in an anonymous namespace: each
// instruction set's translation unit must keep its own copies, or the linker could hand AVX-512 code to an older processor.
#pragma once
#include <cstdint>
#include <cstring>
#if defined(__F16C__) || defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

// Before a loop over what should be in registers.
#if defined(__clang__)
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif

namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
typedef float vf __attribute__((vector_size(4 * kLanes)));
typedef int32_t vi __attribute__((vector_size(4 * kLanes)));
typedef uint32_t vu __attribute__((vector_size(4 * kLanes)));
typedef uint16_t vh __attribute__((vector_size(2 * kLanes)));
typedef uint8_t vb __attribute__((vector_size(kLanes)));

struct bf16 {
  uint16_t bits;
};
// IEEE 754 binary16.
struct f16 {
  uint16_t bits;
};

inline vf splat(float x) { return x - vf{}; }  // x + 0 is not always x, and takes an addition

template <class To, class From>
inline To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From), "the same bits in another type");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

// The float of float16 bits, and back: to nearest, ties to even, as packages/fovea/src/graph/float16.ts rounds. For one
// number (float, uint32_t) or a vector (vf, vu); not inlined, as every kernel has them where no instruction does it. Subnormal numbers are whole multiples of 2^-24, the last bit of 0.5.
template <class F, class U>
__attribute__((noinline)) F widened(U half) {
  const U size = half & 0x7fff, half_bits = size * 0 + 0x3f000000u;
  U normal = (size << 13) + (112u << 23);  // exponent bias 15 to 127
  normal = size < 0x7c00u ? normal : normal + (112u << 23);
  const U subnormal = bits_as<U>(bits_as<F>(half_bits + size) - bits_as<F>(half_bits));
  return bits_as<F>((size < 0x400u ? subnormal : normal) | (half & 0x8000) << 16);
}
template <class U, class F>
__attribute__((noinline)) U narrowed(F x) {
  const U bits = bits_as<U>(x), size = bits & 0x7fffffffu, half_bits = size * 0 + 0x3f000000u;
  const U infinity = size * 0 + 0x7c00u, none = size * 0 + 0x7e00u;
  const U normal = (size - (112u << 23) + 0xfff + ((size >> 13) & 1)) >> 13;
  const U subnormal = bits_as<U>(bits_as<F>(size) + bits_as<F>(half_bits)) - half_bits;
  U half = size < 0x38800000u ? subnormal : normal;  // 2^-14
  half = size < 0x477ff000u ? half : infinity;       // 65520
  half = size > 0x7f800000u ? none : half;
  return half | ((bits >> 16) & 0x8000);
}

inline vf load(const float* p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}
// The bits of a vector of 16-bit floats, in the lower halves. By name where there is an instruction: GCC 12 finds it for halves.
inline vu load_bits(const void* p) {
  vh h;
  memcpy(&h, p, sizeof h);
#if defined(__AVX512F__)
  return (vu)_mm512_maskz_cvtepu16_epi32(0xffff, (__m256i)h);
#else
  return __builtin_convertvector(h, vu);
#endif
}
inline vf load(const bf16* p) { return (vf)(load_bits(p) << 16); }
inline vf load(const f16* p) {
#if defined(__AVX512F__)
  vh h;
  memcpy(&h, p, sizeof h);
  return (vf)_mm512_maskz_cvtph_ps(0xffff, (__m256i)h);  // GCC 12 warns of the form without a mask
#elif defined(__F16C__)
  __m128i h;
  memcpy(&h, p, sizeof h);
  return (vf)_mm256_cvtph_ps(h);
#else
  return widened<vf>(load_bits(p));
#endif
}
// Bytes as whole numbers, and back where they are from 0 to 255. By name where there are instructions: GCC 12 takes them apart.
inline vi load_bytes(const uint8_t* p) {
#if defined(__AVX512F__)
  return (vi)_mm512_maskz_cvtepu8_epi32(0xffff, _mm_loadu_si128((const __m128i*)p));
#elif defined(__AVX2__)
  return (vi)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p));
#else
  vb bytes;
  memcpy(&bytes, p, sizeof bytes);
  return __builtin_convertvector(bytes, vi);
#endif
}
inline void store_bytes(uint8_t* p, vi v) {
#if defined(__AVX512F__)
  _mm_storeu_si128((__m128i*)p, _mm512_maskz_cvtepi32_epi8(0xffff, (__m512i)v));
#elif defined(__AVX2__)
  const __m128i halves = _mm_packus_epi32(_mm256_castsi256_si128((__m256i)v), _mm256_extracti128_si256((__m256i)v, 1));
  _mm_storel_epi64((__m128i*)p, _mm_packus_epi16(halves, halves));
#else
  const vb bytes = __builtin_convertvector(v, vb);
  memcpy(p, &bytes, sizeof bytes);
#endif
}
// The same of whole numbers within ±2^15: what lies beyond becomes 0 or 255.
inline void store_limited(uint8_t* p, vi v) {
#if defined(__AVX512F__)
  const __m512i positive = _mm512_maskz_max_epi32(0xffff, (__m512i)v, _mm512_setzero_si512());
  _mm_storeu_si128((__m128i*)p, _mm512_maskz_cvtusepi32_epi8(0xffff, positive));
#elif defined(__AVX2__)
  store_bytes(p, v);
#elif defined(__wasm_simd128__)
  const auto halves = __builtin_wasm_narrow_s_i16x8_i32x4(v, v);
  const auto bytes = __builtin_wasm_narrow_u_i8x16_i16x8(halves, halves);
  memcpy(p, &bytes, sizeof(vb));
#else
  store_bytes(p, v < 0 ? vi{} : (v > 255 ? vi{} + 255 : v));
#endif
}
inline vf load(const uint8_t* p) { return __builtin_convertvector(load_bytes(p), vf); }
inline void store(float* p, vf v) { memcpy(p, &v, sizeof v); }
inline void store(uint8_t* p, vf v) { store_bytes(p, __builtin_convertvector(v, vi)); }
// Rounds to nearest, ties to even, as PyTorch does; subnormal numbers too.
inline void store_exactly(bf16* p, vf v) {
  vu u = (vu)v;
  vu rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  rounded = v == v ? rounded : u * 0 + 0x7fc0u;  // a NaN of many ones would become zero
  vh h = __builtin_convertvector(rounded, vh);
  memcpy(p, &h, sizeof h);
}
// The same, but where there is an instruction it takes subnormal numbers for zero, as oneDNN does.
inline void store(bf16* p, vf v) {
#if defined(__AVX512BF16__)
  const __m256bh h = _mm512_cvtneps_pbh((__m512)v);
  memcpy(p, &h, sizeof h);
#else
  store_exactly(p, v);
#endif
}
inline void store(f16* p, vf v) {
#if defined(__AVX512F__)
  const __m256i h = _mm512_maskz_cvtps_ph(0xffff, (__m512)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#elif defined(__F16C__)
  const __m128i h = _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT);
#else
  const vh h = __builtin_convertvector(narrowed<vu>(v), vh);
#endif
  memcpy(p, &h, sizeof(vh));
}

template <class T>
inline void store_exactly(T* p, vf v) {
  store(p, v);
}

// The first n lanes, the others zero: for the tail of an array.
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
inline float to_float(bf16 x) { return bits_as<float>((uint32_t)x.bits << 16); }
inline float to_float(f16 x) { return widened<float>((uint32_t)x.bits); }
inline void from_float(float* p, float x) { *p = x; }
inline void from_float(bf16* p, float x) {
  const uint32_t u = bits_as<uint32_t>(x);
  p->bits = x == x ? (uint16_t)((u + 0x7fff + ((u >> 16) & 1)) >> 16) : 0x7fc0;
}
inline void from_float(f16* p, float x) { p->bits = (uint16_t)narrowed<uint32_t>(x); }

inline vf select(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
// By name where there is an instruction: GCC 12 compares and blends.
#if defined(__AVX512F__)
inline vf vmax(vf a, vf b) { return (vf)_mm512_maskz_max_ps(0xffff, (__m512)a, (__m512)b); }
inline vf vmin(vf a, vf b) { return (vf)_mm512_maskz_min_ps(0xffff, (__m512)a, (__m512)b); }
#elif defined(__AVX2__)
inline vf vmax(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
inline vf vmin(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
#elif defined(__wasm_simd128__)
inline vf vmax(vf a, vf b) { return __builtin_wasm_pmax_f32x4(b, a); }
inline vf vmin(vf a, vf b) { return __builtin_wasm_pmin_f32x4(b, a); }
#else
inline vf vmax(vf a, vf b) { return a > b ? a : b; }
inline vf vmin(vf a, vf b) { return a < b ? a : b; }
#endif

// a·b + c, rounded once where there is such an instruction. Of the usual ones a compiler makes it by itself.
inline vf vmadd(vf a, vf b, vf c) {
#if defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_madd_f32x4(a, b, c);
#else
  return a * b + c;
#endif
}

// The nearest whole number, of two that are as near the even one, of numbers within ±2^22.
inline vf vround(vf x) {
#if defined(__AVX512F__)
  return (vf)_mm512_maskz_roundscale_ps(0xffff, (__m512)x, _MM_FROUND_TO_NEAREST_INT);
#elif defined(__AVX2__)
  return (vf)_mm256_round_ps((__m256)x, _MM_FROUND_TO_NEAREST_INT);
#else
  const vf magic = splat(12582912.0f);  // 1.5·2^23: adding it leaves no digits behind the point
  return (x + magic) - magic;
#endif
}

// The same as integers.
inline vi vinteger(vf x) {
#if defined(__AVX512F__)
  return (vi)_mm512_maskz_cvtps_epi32(0xffff, (__m512)x);
#elif defined(__AVX2__)
  return (vi)_mm256_cvtps_epi32((__m256)x);
#else
  const vf magic = splat(12582912.0f);  // as above: the last bits of a sum are the number
  return (vi)(x + magic) - (vi)magic;
#endif
}

inline vf vabs(vf x) { return (vf)((vi)x & 0x7fffffff); }

}  // namespace
