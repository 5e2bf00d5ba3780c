// Pairs of bfloat16 numbers, one pixel of two images, as the kernels for the gradients of weights multiply them.
#pragma once
#include "exchange.h"
#include "window.h"

namespace {

// Tiles are of kTileLanes numbers, whatever a register holds: oneDNN reads the sums in a layout of AVX-512.
typedef float wf __attribute__((vector_size(64)));

template <class Wide>
inline Wide load_wide(const void* p) {
  Wide v;
  memcpy(&v, p, sizeof v);
  return v;
}

// The bits of the first `lanes` of sixteen bfloat16, in the lower halves.
inline wu wide_bits(const bf16* p, int lanes) {
#if defined(__AVX512BW__) && defined(__AVX512VL__)
  const __m256i halves = _mm256_maskz_loadu_epi16((__mmask16)((1u << lanes) - 1), p);
  return (wu)_mm512_maskz_cvtepu16_epi32(0xffff, halves);
#else
  uint16_t halves[kTileLanes] = {};
  memcpy(halves, p, lanes * sizeof(bf16));
  wu bits;
  for (int j = 0; j < kTileLanes; j++) bits[j] = halves[j];
  return bits;
#endif
}

// sum + the products of the lower halves + those of the upper ones.
inline wf add_products(wf sum, wu a, wu b) {
#if defined(__AVX512BF16__)
  return (wf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
  return sum + (wf)(a << 16) * (wf)(b << 16) + (wf)(a & 0xffff0000u) * (wf)(b & 0xffff0000u);
#endif
}

// A row of the vector of channels from c on, of two images (or one, and zeros), as pairs that lie `step` apart.
inline void pack_row(const bf16* row, const bf16* other, int64_t pixels, int64_t pixel, int64_t channels, int64_t c,
                     uint32_t* to, int64_t step) {
  const int lanes = (int)at_most(channels - c, kTileLanes);
  const auto bits = [&](const bf16* from, int64_t i) { return wide_bits(from + i * pixel + c, lanes); };
  for (int64_t i = 0; i < pixels; i++) {
    const wu both = other ? bits(row, i) | bits(other, i) << 16 : bits(row, i);
    memcpy(to + i * step, &both, sizeof both);
  }
}

// Inputs of a tap: of one pixel, or of all that a row of the window sees.
inline int64_t tap_inputs(const Window& p, bool row_taps) { return row_taps ? p.kw * p.c : p.c; }

// Pairs in a row of x with its padding, and what the last tile of its last window takes beyond.
inline int64_t window_line(const Window& p) { return (p.ow * p.sw + p.kw) * p.c + kTileLanes; }

// Such a row, of two images or one: what window i sees of it begins at i * p.sw * p.c.
inline void pack_window_line(const Window& p, const bf16* row, const bf16* other, uint32_t* line) {
  const int64_t pairs = window_line(p), left = p.left * p.c, count = at_most(p.w * p.c, pairs - kTileLanes - left);
  memset(line, 0, pairs * sizeof(uint32_t));
  for (int64_t j = 0; j < count; j += kTileLanes) pack_row(row, other, 1, 0, count, j, line + left + j, 0);
}

}  // namespace
