// The transforms of Winograd's algorithm F(4×4, 3×3) (Lavin and Gray 2016, arXiv 1509.09308, section 4): y = Aᵀ·((G·g·Gᵀ) ⊙ (Bᵀ·d·B))·A, for 4×4
// results at a time. A polynomial is known by its values at five points and by its leading number; the points are 0, ±a and ±b.
#pragma once
#include "../simd.h"
#include "enumerations.h"

namespace {

constexpr int kResults = kWinogradResults, kSide = kResults + 2, kPlaces = kSide * kSide;
static_assert(kResults == 4, "the transforms are those of F(4x4, 3x3)");

struct Winograd {
  // Errors are half of those at ±1 and ±2.
  static constexpr float a = 0.625f, b = 1.5f, a2 = a * a, b2 = b * b, sum = a2 + b2, product = a2 * b2;
  // One by what a point differs from all others, multiplied.
  static constexpr float at_0 = 1 / product, at_a = 1 / (2 * a2 * (a2 - b2)), at_b = 1 / (2 * b2 * (b2 - a2));
  template <class T>
  static inline void input(const T (&d)[6], T (&to)[6]) {
    const T even_a = d[4] - b2 * d[2], odd_a = a * (d[3] - b2 * d[1]);
    const T even_b = d[4] - a2 * d[2], odd_b = b * (d[3] - a2 * d[1]);
    to[0] = d[4] - sum * d[2] + product * d[0], to[5] = d[5] - sum * d[3] + product * d[1];
    to[1] = even_a + odd_a, to[2] = even_a - odd_a, to[3] = even_b + odd_b, to[4] = even_b - odd_b;
  }
  template <class T>
  static inline void output(const T (&m)[6], T (&to)[4]) {
    const T sum_a = m[1] + m[2], sum_b = m[3] + m[4], apart_a = a * (m[1] - m[2]), apart_b = b * (m[3] - m[4]);
    to[0] = m[0] + sum_a + sum_b, to[1] = apart_a + apart_b;
    to[2] = a2 * sum_a + b2 * sum_b, to[3] = a2 * apart_a + b2 * apart_b + m[5];
  }
  template <class T>
  static inline void gradient(const T (&dy)[4], T (&to)[6]) {
    const T even_a = dy[0] + a2 * dy[2], odd_a = a * (dy[1] + a2 * dy[3]);
    const T even_b = dy[0] + b2 * dy[2], odd_b = b * (dy[1] + b2 * dy[3]);
    to[0] = dy[0], to[5] = dy[3];
    to[1] = even_a + odd_a, to[2] = even_a - odd_a, to[3] = even_b + odd_b, to[4] = even_b - odd_b;
  }
  template <class T>
  static inline void window(const T (&g)[3], T (&to)[6]) {
    const T even_a = at_a * g[0] + at_a * a2 * g[2], odd_a = at_a * a * g[1];
    const T even_b = at_b * g[0] + at_b * b2 * g[2], odd_b = at_b * b * g[1];
    to[0] = at_0 * g[0], to[5] = g[2];
    to[1] = even_a + odd_a, to[2] = even_a - odd_a, to[3] = even_b + odd_b, to[4] = even_b - odd_b;
  }
  template <class T>
  static inline void window_gradient(const T (&m)[6], T (&to)[3]) {
    const T sum_a = at_a * (m[1] + m[2]), sum_b = at_b * (m[3] + m[4]);
    to[0] = at_0 * m[0] + sum_a + sum_b, to[1] = at_a * a * (m[1] - m[2]) + at_b * b * (m[3] - m[4]);
    to[2] = a2 * sum_a + b2 * sum_b + m[5];
  }
};

// Applies a transform to the columns of a square, then to its rows: T·d·Tᵀ.
template <int From, int To, class T, class Body>
inline void both_ways(const T (&d)[From][From], T (&to)[To][To], Body transform) {
  T half[To][From];
  UNROLLED
  for (int j = 0; j < From; j++) {
    T column[From], changed[To];
    UNROLLED
    for (int i = 0; i < From; i++) column[i] = d[i][j];
    transform(column, changed);
    UNROLLED
    for (int i = 0; i < To; i++) half[i][j] = changed[i];
  }
  UNROLLED
  for (int i = 0; i < To; i++) transform(half[i], to[i]);
}

}  // namespace
