// Products of matrices, a few rows by a panel of columns at a time: the sums stay in registers.
#pragma once
#include <type_traits>

#include "common.h"

namespace {

constexpr int kVectors = 2;
constexpr int kPanel = kVectors * kLanes;
constexpr int64_t kFewestProducts = 1 << 18;  // that a second thread is woken for

// Rows of sums at a time.
#if defined(__AVX512F__)
constexpr int kRows = 8;  // sixteen sums: as many as products are under way at a time
#elif defined(__aarch64__)
constexpr int kRows = 8;  // of 32 registers, and a product begins every quarter of the time that one takes
#else
// Eight sums, two vectors of weights and four numbers of x leave one of V8's fifteen registers on x86 for a product. V8 loads what a
// piece of code without branches reads before it multiplies, so six rows would need more.
constexpr int kRows = 4;
#endif

inline vf splat_at(const float* p) {
#if defined(__wasm__)
  const float x = *p;
  return vf{x, x, x, x};
#else
  return splat(*p);
#endif
}

// Numbers of 32 bits, and how they are multiplied. integer_convolution.h has others.
struct Floats {
  using Number = float;
  using Vector = vf;
  static inline vf vector(const float* p) { return load(p); }
  static inline vf splat(const float* p) { return splat_at(p); }
  static inline vf add_product(vf a, vf b, vf sum) { return vmadd(a, b, sum); }
};

// Adds to the sums what row `row` behind w and x gives.
template <class Of, int Vectors>
inline void add_row(const typename Of::Number* const (&x)[kRows], const typename Of::Number* w, int row,
                    typename Of::Vector (&sums)[kRows][Vectors]) {
  typename Of::Vector weights[Vectors];
  for (int v = 0; v < Vectors; v++) weights[v] = Of::vector(w + (row * Vectors + v) * kLanes);
  UNROLLED
  for (int i = 0; i < kRows; i++) {
    const auto a = Of::splat(x[i] + row);
    for (int v = 0; v < Vectors; v++) sums[i][v] = Of::add_product(a, weights[v], sums[i][v]);
  }
}

// Adds x·w: so many rows of x, each of `length` numbers, and as many rows of w, a panel of columns.
template <class Of, int Vectors>
inline void add_rows(const typename Of::Number* (&x)[kRows], const typename Of::Number* w, int length,
                     typename Of::Vector (&sums)[kRows][Vectors]) {
  // A branch after each row: V8 would load what all of them read before it multiplies, for which there are no registers.
  for (int left = length;;) {
    add_row<Of>(x, w, 0, sums);
    if (left == 1) break;
    add_row<Of>(x, w, 1, sums);
    if (left == 2) break;
    add_row<Of>(x, w, 2, sums);
    if (left == 3) break;
    add_row<Of>(x, w, 3, sums);
    if ((left -= 4) == 0) break;
    w += 4 * Vectors * kLanes;
    for (int i = 0; i < kRows; i++) x[i] += 4;
  }
}

// Adds xᵀ·w to the sums, or if `First` to zeros; their rows lie `stride` apart. So many columns of x and vectors of w, which lie `w_vector`
// apart; `length` rows of both.
template <int Columns, int Vectors, bool First>
inline void add_columns(const float* x, int64_t x_row, const float* w, int64_t w_row, int64_t w_vector, int64_t length, float* sums,
                        int64_t stride) {
  vf all[Columns][Vectors];
  for (int i = 0; i < Columns; i++) {
    for (int v = 0; v < Vectors; v++) all[i][v] = First ? vf{} : load(sums + i * stride + v * kLanes);
  }
  for (int64_t row = 0; row < length; row++, x += x_row, w += w_row) {
    vf weights[Vectors];
    for (int v = 0; v < Vectors; v++) weights[v] = load(w + v * w_vector);
    UNROLLED
    for (int i = 0; i < Columns; i++) {
      const vf a = splat_at(x + i);
      for (int v = 0; v < Vectors; v++) all[i][v] = vmadd(a, weights[v], all[i][v]);
    }
  }
  for (int i = 0; i < Columns; i++) {
    for (int v = 0; v < Vectors; v++) store(sums + i * stride + v * kLanes, all[i][v]);
  }
}

}  // namespace
