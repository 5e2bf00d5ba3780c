// Convolutions of 3×3 windows at a stride of 1 by Winograd's algorithm F(2×2, 3×3) (Lavin and Gray 2016, arXiv 1509.09308, section 4.1):
// a tile of 2×2 results is made of 4×4 numbers that it sees, in 16 products by channel where windows take 36. Tiles become 16 products of
// matrices, one for each place of a tile. Channels are whole panels.
#pragma once
#include "convolution.h"

namespace {

constexpr int kSide = 4;  // of a tile, with what its windows reach
constexpr int kPlaces = kSide * kSide;
constexpr int64_t kTiles = 32;  // at once

// How far the numbers of places are apart: `transformed` in fovea/src/engines/planned/kernels/convolution-kernels.ts. A cache line off,
// as powers of two would share a few lines of the cache.
inline int64_t place_of(int64_t channels) { return kTiles * channels + 16; }

// The tiles of all images, in the order of their results.
struct Tiles {
  int64_t images, height, width;  // of the results
  int64_t down() const { return (height + 1) / 2; }
  int64_t across() const { return (width + 1) / 2; }
  int64_t count() const { return images * down() * across(); }
  int64_t blocks() const { return (count() + kTiles - 1) / kTiles; }
};

// Where the first result of a tile lies; of its results, `rows` by `columns` are within the image.
struct Tile {
  int64_t image, y, x, rows, columns;
};

// The tiles of a block.
struct Block {
  int64_t count;
  Tile tiles[kTiles];
  Block(const Tiles& all, int64_t number) : count(at_most(all.count() - number * kTiles, kTiles)) {
    const int64_t first = number * kTiles;
    int64_t image = first / all.across() / all.down(), y = first / all.across() % all.down() * 2, x = first % all.across() * 2;
    for (int64_t t = 0; t < count; t++) {
      tiles[t] = {image, y, x, at_most(all.height - y, 2), at_most(all.width - x, 2)};
      if ((x += 2) < all.width) continue;
      x = 0;
      if ((y += 2) < all.height) continue;
      y = 0, image++;
    }
  }
};

// Numbers by row and column, `channels` each.
struct Patch4 {
  const float* first;
  int64_t row, column;
};

// What a tile sees: where it lies if all of it is within the image, else copied with zeros around it.
inline Patch4 seen_by(const float* image, int64_t height, int64_t width, int64_t channels, int64_t y, int64_t x, float* copy) {
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

// Bᵀ·d·B of a patch; the numbers of its places lie `place` apart.
inline void transform_input(const Patch4& p, int64_t channels, float* to, int64_t place) {
  const auto combine = [](int i, const vf(&d)[kSide]) {
    return i == 0 ? d[0] - d[2] : i == 1 ? d[1] + d[2] : i == 2 ? d[2] - d[1] : d[1] - d[3];
  };
  for (int64_t c = 0; c < channels; c += kLanes) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kSide; i++) {
      vf row[kSide];
#pragma clang loop unroll(full)
      for (int j = 0; j < kSide; j++) {
        const float* at = p.first + j * p.column + c;
        const vf d[kSide] = {load(at), load(at + p.row), load(at + 2 * p.row), load(at + 3 * p.row)};
        row[j] = combine(i, d);
      }
#pragma clang loop unroll(full)
      for (int j = 0; j < kSide; j++) store(to + (i * kSide + j) * place + c, combine(j, row));
    }
  }
}

// Of Aᵀ·m: row i of two.
inline vf combine_output(int i, vf a, vf b, vf c, vf d) { return i == 0 ? a + b + c : b - c - d; }

// The results of a tile for a vector of channels: Aᵀ·m·A, of numbers that lie `place` apart.
inline void transform_output(const float* m, int64_t place, vf (&y)[2][2]) {
#pragma clang loop unroll(full)
  for (int i = 0; i < 2; i++) {
    vf row[kSide];
#pragma clang loop unroll(full)
    for (int j = 0; j < kSide; j++) {
      const float* at = m + j * place;
      const int64_t down = kSide * place;
      row[j] = combine_output(i, load(at), load(at + down), load(at + 2 * down), load(at + 3 * down));
    }
#pragma clang loop unroll(full)
    for (int j = 0; j < 2; j++) y[i][j] = combine_output(j, row[0], row[1], row[2], row[3]);
  }
}

// A thread's room: transformed numbers [places, tiles, inputs], products [places, tiles, panel], a patch [places, inputs].
struct WinogradRoom {
  float *inputs, *products, *patch;
  WinogradRoom(float* room, int64_t channels)
      : inputs(room), products(room + kPlaces * place_of(channels)), patch(products + kPlaces * place_of(kPanel)) {}
};

// The products of `tiles` tiles by a panel.
inline void multiply_tiles(const WinogradRoom& room, const float* panel, int64_t inputs, int64_t tiles) {
  for (int64_t k = 0; k < kPlaces; k++) {
    const float *from = room.inputs + k * place_of(inputs), *w = panel + k * inputs * kPanel;
    float* to = room.products + k * place_of(kPanel);
    for (int64_t t = 0; t < tiles; t += kPixels) {
      const float* x[kPixels];
      for (int i = 0; i < kPixels; i++) x[i] = from + (t + i) * inputs;
      vf sums[kPixels][kVectors] = {};
      add_rows(x, w, (int)inputs, sums);
      for (int i = 0; i < kPixels; i++) {
        for (int v = 0; v < kVectors; v++) store(to + (t + i) * kPanel + v * kLanes, sums[i][v]);
      }
    }
  }
}

// Forward; and the gradient by the input, where x is that of the output and weights are transposed.
void winograd_convolution(const WinogradConvolutionFields& s) {
  const Panels panels(s.weights, 1, s.inputs, s.outputs, kPlaces);
  const Tiles tiles{s.images, s.out_height, s.out_width};
  const int64_t row = s.out_width * s.outputs;
  const int64_t grain = kFewestProducts / (kTiles * kPlaces * s.inputs * s.outputs) + 1;
  parallel(tiles.blocks(), grain, s.threads, [&](int64_t begin, int64_t end, int thread) {
    const WinogradRoom room(s.room.of(thread), s.inputs);
    for (int64_t number = begin; number < end; number++) {
      const Block block(tiles, number);
      for (int64_t t = 0; t < block.count; t++) {
        const Tile& tile = block.tiles[t];
        const float* image = s.x + tile.image * s.height * s.width * s.inputs;
        const Patch4 seen = seen_by(image, s.height, s.width, s.inputs, tile.y - s.top, tile.x - s.left, room.patch);
        transform_input(seen, s.inputs, room.inputs + t * s.inputs, place_of(s.inputs));
      }
      for (int64_t panel = 0; panel < panels.panels(); panel++) {
        multiply_tiles(room, panels.at(0, panel), s.inputs, block.count);
        with_activation(s.activation, [&](auto act) {
          for (int64_t c = 0; c < kPanel; c += kLanes) {
            const int64_t channel = panel * kPanel + c;
            const vf bias = s.bias ? load(s.bias + channel) : vf{};
            for (int64_t t = 0; t < block.count; t++) {
              const Tile& tile = block.tiles[t];
              vf y[2][2];
              transform_output(room.products + t * kPanel + c, place_of(kPanel), y);
              const int64_t first = ((tile.image * s.out_height + tile.y) * s.out_width + tile.x) * s.outputs + channel;
#pragma clang loop unroll(full)
              for (int i = 0; i < 2; i++) {
#pragma clang loop unroll(full)
                for (int j = 0; j < 2; j++) {
                  if (i >= tile.rows || j >= tile.columns) continue;
                  const int64_t at = first + i * row + j * s.outputs;
                  vf sum = y[i][j] + bias;
                  if (s.residual) sum += load(s.residual + at);
                  store(s.y + at, act.value(sum));
                }
              }
            }
          }
        });
      }
    }
  });
}

// G·g·Gᵀ of the windows, in panels. Transposed, for the gradient by the input: inputs are columns, and windows are turned around.
void winograd_weights(const WinogradWeightsFields& s) {
  const int64_t rows = s.transposed ? s.outputs : s.inputs, columns = s.transposed ? s.inputs : s.outputs;
  const Panels panels(s.packed, 1, rows, columns, kPlaces);
  const auto combine = [](int64_t i, float a, float b, float c) {
    return i == 0 ? a : i == 3 ? c : 0.5f * (i == 1 ? a + b + c : a - b + c);
  };
  parallel(panels.panels(), kGrain / (kPlaces * rows * kPanel) + 1, s.threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t panel = begin; panel < end; panel++) {
      float* to = s.packed + panels.offset(0, panel);
      for (int64_t row = 0; row < rows; row++) {
        for (int64_t lane = 0; lane < kPanel; lane++) {
          const int64_t column = panel * kPanel + lane;
          const int64_t output = s.transposed ? row : column, input = s.transposed ? column : row;
          const float* window = s.weight + (output * s.inputs + input) * 9;
          float g[9];
          for (int k = 0; k < 9; k++) g[k] = window[s.transposed ? 8 - k : k];
          for (int64_t i = 0; i < kSide; i++) {
            float r[3];
            for (int j = 0; j < 3; j++) r[j] = combine(i, g[j], g[3 + j], g[6 + j]);
            for (int64_t j = 0; j < kSide; j++) to[((i * kSide + j) * rows + row) * kPanel + lane] = combine(j, r[0], r[1], r[2]);
          }
        }
      }
    }
  });
}

}  // namespace
