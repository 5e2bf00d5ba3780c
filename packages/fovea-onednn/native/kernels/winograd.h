// Convolutions of 3×3 windows at a stride of 1 by Winograd's algorithm (winograd_transforms.h). A tile of 4×4 results is made of the
// 6×6 numbers that it sees, in 36 products by channel where windows take 144. Tiles become 36 products of matrices, one for each place of a
// tile. Channels are whole vectors.
#pragma once
#include "matrix.h"
#include "window.h"
#include "winograd_transforms.h"

namespace {

// How far transformed numbers lie apart: of tiles, of vectors of channels, and of the places of a tile: `transformed` in
// fovea/src/engines/planned/kernels/winograd-kernels.ts.
struct Spaced {
  int64_t tile, vector, place;
  // For sums over channels. Tiles and places are a cache line off, as powers of two would share a few lines of the cache.
  static Spaced by_tile(int64_t channels, int64_t tiles) { return {channels + 16, kLanes, tiles * (channels + 16) + 16}; }
  // For sums over tiles.
  static Spaced by_vector(int64_t channels, int64_t tiles) { return {kLanes, tiles * kLanes, tiles * channels + 16}; }
};

// How far the places of transformed weights lie apart, and of sums of their gradients.
inline int64_t place_of_weights(int64_t inputs, int64_t outputs) { return inputs * outputs + 16; }

// The tiles of all images, in the order of their results.
struct Tiled {
  int64_t images, height, width;  // of the results
  int64_t at_once;
  int64_t down() const { return (height + kResults - 1) / kResults; }
  int64_t across() const { return (width + kResults - 1) / kResults; }
  int64_t count() const { return images * down() * across(); }
  int64_t blocks() const { return (count() + at_once - 1) / at_once; }
};

// Where the first result of a tile lies; of its results, `rows` by `columns` are within the image.
struct Tile {
  int64_t image, y, x, rows, columns;
};

// Calls body(t, tile) for each tile of a block; returns how many there are.
template <class Body>
inline int64_t for_each_tile(const Tiled& all, int64_t block, Body body) {
  const int64_t first = block * all.at_once, count = at_most(all.count() - first, all.at_once), across = all.across();
  Tile tile{first / across / all.down(), first / across % all.down() * kResults, first % across * kResults, 0, 0};
  for (int64_t t = 0; t < count; t++) {
    tile.rows = at_most(all.height - tile.y, kResults), tile.columns = at_most(all.width - tile.x, kResults);
    body(t, tile);
    if ((tile.x += kResults) < all.width) continue;
    tile.x = 0;
    if ((tile.y += kResults) < all.height) continue;
    tile.y = 0, tile.image++;
  }
  return count;
}

// Numbers by row and column, the channels of each side by side.
struct Square {
  const float* first;
  int64_t row, column;
};

// A square of an image from (y, x) on: where it lies if all of it is within the image, else copied with zeros around it.
inline Square seen_by(const float* image, int64_t height, int64_t width, int64_t channels, int64_t y, int64_t x, float* copy) {
  if (y >= 0 && x >= 0 && y + kSide <= height && x + kSide <= width) {
    return {image + (y * width + x) * channels, width * channels, channels};
  }
  for (int64_t i = 0; i < kSide; i++) {
    for (int64_t j = 0; j < kSide; j++) {
      float* to = copy + (i * kSide + j) * channels;
      const bool inside = y + i >= 0 && y + i < height && x + j >= 0 && x + j < width;
      const float* from = image + ((y + i) * width + x + j) * channels;
      for (int64_t c = 0; c < channels; c += kLanes) store(to + c, inside ? load(from + c) : vf{});
    }
  }
  return {copy, kSide * channels, channels};
}

// A vector of channels of a square.
inline void load_square(const Square& p, int64_t channel, vf (&d)[kSide][kSide]) {
  UNROLLED
  for (int i = 0; i < kSide; i++) {
    UNROLLED
    for (int j = 0; j < kSide; j++) d[i][j] = load(p.first + i * p.row + j * p.column + channel);
  }
}

inline void store_places(const vf (&from)[kSide][kSide], float* to, int64_t place) {
  UNROLLED
  for (int i = 0; i < kSide; i++) {
    UNROLLED
    for (int j = 0; j < kSide; j++) store(to + (i * kSide + j) * place, from[i][j]);
  }
}

// Bᵀ·d·B of all channels of a square.
inline void transform_input(const Square& p, int64_t channels, float* to, const Spaced& spaced) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    vf d[kSide][kSide], all[kSide][kSide];
    load_square(p, c, d);
    both_ways(d, all, [](const auto& from, auto& out) { Winograd::input(from, out); });
    store_places(all, to + c / kLanes * spaced.vector, spaced.place);
  }
}

// Aᵀ·m·A for a vector of channels.
inline void transform_output(const float* m, int64_t place, vf (&y)[kResults][kResults]) {
  vf all[kSide][kSide];
  load_square({m, kSide * place, place}, 0, all);
  both_ways(all, y, [](const auto& from, auto& out) { Winograd::output(from, out); });
}

// Calls body(first column, vectors) for each panel of columns from `begin` to `end`, both multiples of a panel; the last one may be
// half as wide.
template <class Body>
inline void for_each_panel(int64_t begin, int64_t end, Body body) {
  int64_t column = begin;
  for (; column + kPanel <= end; column += kPanel) body(column, std::integral_constant<int, kVectors>{});
  if (column < end) body(column, std::integral_constant<int, 1>{});
}

// The columns of one of so many parts of a matrix, in whole panels.
struct Part {
  int64_t begin, end;
  Part(int64_t columns, int64_t part, int64_t parts) {
    const int64_t panels = (columns + kPanel - 1) / kPanel;
    begin = panels * part / parts * kPanel, end = at_most(panels * (part + 1) / parts * kPanel, columns);
  }
};

// Forward; and the gradient by the input, where x is that of the output and weights are transposed. Each thread takes blocks of tiles; where
// there are few, their outputs are shared out too.
void winograd_convolution(const WinogradConvolutionFields& s) {
  const Tiled tiles{s.images, s.out_height, s.out_width, s.tiles};
  const auto in = Spaced::by_tile(s.inputs, s.tiles), out = Spaced::by_tile(s.outputs, s.tiles);
  const int64_t blocks = tiles.blocks(), panels = (s.outputs + kPanel - 1) / kPanel;
  const int64_t parts = blocks < 2 * s.threads ? at_most(s.threads, panels) : 1;
  const int64_t row = s.out_width * s.outputs;
  const int64_t grain = kFewestProducts / (s.tiles * kPlaces * s.inputs * s.outputs / parts) + 1;
  parallel(blocks * parts, grain, s.threads, [=](int64_t begin, int64_t end, int thread) {
    float *seen = s.room.of(thread), *products = seen + kPlaces * in.place, *copy = products + kPlaces * out.place;
    for (int64_t i = begin; i < end; i++) {
      const int64_t block = i / parts;
      const Part part(s.outputs, i % parts, parts);
      const int64_t count = for_each_tile(tiles, block, [&](int64_t t, const Tile& tile) {
        const float* image = s.x + tile.image * s.height * s.width * s.inputs;
        const Square square = seen_by(image, s.height, s.width, s.inputs, tile.y - s.top, tile.x - s.left, copy);
        transform_input(square, s.inputs, seen + t * in.tile, in);
      });
      for (int64_t k = 0; k < kPlaces; k++) {
        for_each_panel(part.begin, part.end, [&](int64_t column, auto vectors) {
          const float* w = s.weights + k * place_of_weights(s.inputs, s.outputs) + column * s.inputs;
          for (int64_t t = 0; t < count; t += kRows) {
            const float* rows[kRows];
            for (int r = 0; r < kRows; r++) rows[r] = seen + k * in.place + (t + r) * in.tile;
            vf sums[kRows][vectors] = {};
            add_rows<Floats>(rows, w, (int)s.inputs, sums);
            float* to = products + k * out.place + t * out.tile + column;
            for (int r = 0; r < kRows; r++) {
              for (int v = 0; v < vectors; v++) store(to + r * out.tile + v * kLanes, sums[r][v]);
            }
          }
        });
      }
      with_activation(s.activation, [&](auto act) {
        for_each_tile(tiles, block, [&](int64_t t, const Tile& tile) {
          const int64_t first = ((tile.image * s.out_height + tile.y) * s.out_width + tile.x) * s.outputs;
          for (int64_t c = part.begin; c < part.end; c += kLanes) {
            vf y[kResults][kResults];
            transform_output(products + t * out.tile + c, out.place, y);
            const vf bias = s.bias ? load(s.bias + c) : vf{};
            UNROLLED
            for (int i = 0; i < kResults; i++) {
              UNROLLED
              for (int j = 0; j < kResults; j++) {
                if (i >= tile.rows || j >= tile.columns) continue;
                const int64_t at = first + i * row + j * s.outputs + c;
                vf sum = y[i][j] + bias;
                if (s.residual) sum += load(s.residual + at);
                store(s.y + at, act.value(sum));
              }
            }
          }
        });
      });
    }
  });
}

}  // namespace
