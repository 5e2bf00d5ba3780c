// The weight gradient of convolutions in bfloat16, by dot products of pairs: the same pixel of two images takes one
// instruction (VDPBF16PS). oneDNN 2.6 reaches two thirds of the processor's peak in this direction, multiplies the padding
// too, and has no way to add up slices of the batch.
//
// For every tap (ky, kx), dw(ky, kx) is xᵀ·dy, inputs by outputs, summed over the pixels of the output for which the tap lies
// within the image, x being what the tap sees there. A block of pixels is packed into pairs, few enough for the nearest
// caches, and multiplied tile by tile: 8 inputs by 32 outputs at a time, whose sums stay in registers.
//
// Few channels would leave most of a tile empty. There, what a row of a window sees counts as the channels of one pixel (`row_taps`), as on
// matrix tiles (tile_weight_gradient.h).
#pragma once
#include "pairs.h"

namespace {

constexpr int kTileInputs = 8;
constexpr int kTileVectors = kTileOutputs / kTileLanes;  // of outputs; where there is only one, two tiles of inputs go together

// Blocks of so many pairs of images and rows of the output: src/operators/weight-gradient.ts chooses them.
struct Blocks {
  Window p;
  bool row_taps;
  int64_t inputs, kw;  // of a tap, and taps in a row of the window
  int64_t outputs, couples, rows, in_rows, in_vectors, out_tiles;
  int64_t x_image, x_line, x_pixel;  // how far apart these lie in memory
  explicit Blocks(const WeightGradientFields& s)
      : p(s), row_taps(s.row_taps), inputs(tap_inputs(p, row_taps)), kw(row_taps ? 1 : p.kw), outputs(s.outputs),
        couples(s.block_pairs), rows(s.block_rows) {
    x_pixel = p.c, x_line = p.w * p.c, x_image = p.h * x_line;
    if (s.one_pixel) {  // the pixels between are read by no window
      x_pixel *= p.sw, x_line *= p.sh;
      p.h = p.oh, p.w = p.ow, p.sh = p.sw = 1;
    }
    in_rows = at_most((rows - 1) * p.sh + p.kh, p.h);
    in_vectors = (inputs + kTileLanes - 1) / kTileLanes;
    out_tiles = (outputs + kTileVectors * kTileLanes - 1) / (kTileVectors * kTileLanes);
  }
  int64_t all_couples() const { return (p.n + 1) / 2; }
  int64_t per_image() const { return (p.oh + rows - 1) / rows; }
  int64_t count() const { return (all_couples() + couples - 1) / couples * per_image(); }
  // Of a packed row of x.
  int64_t x_row() const { return row_taps ? window_line(p) : p.w * kTileLanes; }
  int64_t x_couple() const { return in_rows * x_row(); }
  int64_t x_vector() const { return row_taps ? kTileLanes : couples * x_couple(); }
  int64_t x_column() const { return row_taps ? p.c : kTileLanes; }
  int64_t dy_row() const { return p.ow * kTileVectors * kTileLanes; }
  int64_t dy_couple() const { return rows * dy_row(); }
  int64_t packed_x() const { return (row_taps ? 1 : in_vectors) * couples * x_couple(); }
  int64_t packed_dy() const { return out_tiles * couples * dy_couple(); }
  int64_t taps() const { return p.kh * kw; }
  // The sums lie as in oneDNN's OIhw16i16o, by vectors of outputs, vectors of inputs, taps.
  int64_t sums_vector() const { return in_vectors * taps() * kTileLanes * kTileLanes; }
  int64_t tile(int64_t out, int64_t in, int64_t tap) const {
    return out * kTileVectors * sums_vector() + (in * taps() + tap) * kTileLanes * kTileLanes;
  }
};

// The pixels of the output, out of a block, for which a tap lies within the image; how far apart what they read is.
struct Extent {
  int64_t couples, rows, columns;
  int64_t x_couple, x_row, x_column, dy_couple, dy_row, sums_vector;
};

// Adds the products of so many inputs and vectors of outputs.
template <int Inputs, int Vectors>
inline void add_tile(const Extent& e, const uint32_t* x, const uint32_t* dy, float* sums) {
  wf sum[Inputs][Vectors];
  for (int i = 0; i < Inputs; i++) {
    for (int v = 0; v < Vectors; v++) sum[i][v] = load_wide<wf>(sums + v * e.sums_vector + i * kTileLanes);
  }
  for (int64_t couple = 0; couple < e.couples; couple++) {
    for (int64_t row = 0; row < e.rows; row++) {
      const uint32_t* a = x + couple * e.x_couple + row * e.x_row;
      const uint32_t* g = dy + couple * e.dy_couple + row * e.dy_row;
      for (int64_t i = 0; i < e.columns; i++, a += e.x_column, g += kTileVectors * kTileLanes) {
        wu gradient[Vectors];
        for (int v = 0; v < Vectors; v++) gradient[v] = load_wide<wu>(g + v * kTileLanes);
#pragma GCC unroll 16
        for (int k = 0; k < Inputs; k++) {
          const wu input = wu{} + a[k];
          for (int v = 0; v < Vectors; v++) sum[k][v] = add_products(sum[k][v], input, gradient[v]);
        }
      }
    }
  }
  for (int i = 0; i < Inputs; i++) {
    for (int v = 0; v < Vectors; v++) memcpy(sums + v * e.sums_vector + i * kTileLanes, &sum[i][v], sizeof(wf));
  }
}

// Adds what the pairs of images [couple, couple + couples) give in the rows [oy, oy + rows) of the output.
inline void add_block(const Blocks& b, const bf16* x, const bf16* dy, int64_t couple, int64_t oy, uint32_t* packed,
                      float* sums) {
  const Window& p = b.p;
  const int64_t couples = at_most(b.couples, b.all_couples() - couple), rows = at_most(b.rows, p.oh - oy);
  const int64_t top = at_least(oy * p.sh - p.top, 0);  // the first row of x that the block reads
  const int64_t bottom = at_most(oy * p.sh - p.top + (rows - 1) * p.sh + p.kh, p.h);
  uint32_t *xs = packed, *dys = packed + b.packed_x();
  for (int64_t i = 0; i < couples; i++) {
    const int64_t n = 2 * (couple + i);
    const bool single = n + 1 == p.n;
    for (int64_t iy = top; iy < bottom; iy++) {
      const bf16 *row = x + n * b.x_image + iy * b.x_line, *other = single ? nullptr : row + b.x_image;
      if (b.row_taps) {
        pack_window_line(p, row, other, xs + i * b.x_couple() + (iy - top) * b.x_row());
        continue;
      }
      for (int64_t in = 0; in < b.in_vectors; in++) {
        uint32_t* to = xs + in * b.x_vector() + i * b.x_couple() + (iy - top) * b.x_row();
        pack_row(row, other, p.w, b.x_pixel, p.c, in * kTileLanes, to, kTileLanes);
      }
    }
    for (int64_t r = 0; r < rows; r++) {
      const bf16* row = dy + (n * p.oh + oy + r) * p.ow * b.outputs;
      const bf16* other = single ? nullptr : row + p.oh * p.ow * b.outputs;
      for (int64_t v = 0; v * kTileLanes < b.outputs; v++) {
        uint32_t* to = dys + (v / kTileVectors * b.couples + i) * b.dy_couple() + r * b.dy_row() + v % kTileVectors * kTileLanes;
        pack_row(row, other, p.ow, b.outputs, b.outputs, v * kTileLanes, to, kTileVectors * kTileLanes);
      }
    }
  }
  for (int64_t out = 0; out < b.out_tiles; out++) {
    const bool both = b.outputs - out * kTileVectors * kTileLanes > kTileLanes;
    for (int64_t in = 0; in < b.in_vectors; in++) {
      const bool wide = b.inputs - in * kTileLanes > kTileInputs;
      for (int64_t tap = 0; tap < b.taps(); tap++) {
        // Packed windows hold the zeros of their padding.
        const int64_t ky = tap / b.kw - p.top, kx = b.row_taps ? 0 : tap % b.kw - p.left;
        const Range ys(oy, rows, p.sh, ky, p.h), columns(0, p.ow, p.sw, kx, b.row_taps ? p.ow * p.sw : p.w);
        const Extent extent{couples, ys.end - ys.first, columns.end - columns.first, b.x_couple(), p.sh * b.x_row(),
                            p.sw * b.x_column(), b.dy_couple(), b.dy_row(), b.sums_vector()};
        if (extent.rows == 0 || extent.columns == 0) continue;
        const uint32_t* a = xs + in * b.x_vector() + ((oy + ys.first) * p.sh + ky - top) * b.x_row() +
                            (columns.first * p.sw + kx) * b.x_column();
        const uint32_t* g = dys + out * b.couples * b.dy_couple() + ys.first * b.dy_row() + columns.first * kTileVectors * kTileLanes;
        float* tile = sums + b.tile(out, in, tap);
        if (both) {
          add_tile<kTileInputs, 2>(extent, a, g, tile);
          if (wide) add_tile<kTileInputs, 2>(extent, a + kTileInputs, g, tile + kTileInputs * kTileLanes);
        } else if (wide) {
          add_tile<2 * kTileInputs, 1>(extent, a, g, tile);
        } else {
          add_tile<kTileInputs, 1>(extent, a, g, tile);
        }
      }
    }
  }
}

// Adds to the sums.
void weight_gradient(const WeightGradientFields& s) {
  const Blocks b(s);
  const bf16 *x = (const bf16*)s.x, *dy = (const bf16*)s.dy;
  parallel(b.count(), 1, s.threads, [&](int64_t begin, int64_t end, int thread) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t couple = i / b.per_image() * b.couples, oy = i % b.per_image() * b.rows;
      add_block(b, x, dy, couple, oy, (uint32_t*)s.packed.of(thread), s.sums.of(thread));
    }
  });
}

// dw, which lies as the sums do, is what those of all threads come to.
void weight_gradient_merge(const WeightGradientMergeFields& s) {
  const PerThread<float> sums = s.sums;
  float* dw = s.dw;
  for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) {
    vf sum = get(sums.of(0), at, lanes);
    for (int t = 1; t < s.threads; t++) sum += get(sums.of(t), at, lanes);
    put(dw, at, sum, lanes);
  });
}

// Joins what the threads have where taps are rows; dw lies dense [outputs, channels, height, width].
void row_taps_merge(const RowTapsMergeFields& s) {
  const int64_t inputs = s.kernel_width * s.channels, in_tiles = (inputs + kTileLanes - 1) / kTileLanes;
  const int64_t window = s.kernel_height * s.kernel_width;
  for (int64_t out = 0; out < s.outputs; out++) {
    for (int64_t in = 0; in < inputs; in++) {
      const int64_t tile = (out / kTileLanes * in_tiles + in / kTileLanes) * s.kernel_height;
      const int64_t row = s.by_inputs ? in : out, column = s.by_inputs ? out : in;  // of a tile
      float* dw = s.dw + (out * s.channels + in % s.channels) * window + in / s.channels;
      for (int64_t ky = 0; ky < s.kernel_height; ky++) {
        const int64_t at = (tile + ky) * kTileLanes * kTileLanes + row % kTileLanes * kTileLanes + column % kTileLanes;
        dw[ky * s.kernel_width] = sum_of_threads(s.sums, s.threads, at);
      }
    }
  }
}

}  // namespace
