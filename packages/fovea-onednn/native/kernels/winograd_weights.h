// Weights for convolutions by Winograd's algorithm (winograd.h), and their gradient: Gᵀ·(Σ (A·dy·Aᵀ) ⊙ (Bᵀ·d·B))·G, the sum over all tiles. For
// each place of a tile that is a product of matrices, whose sums stay transformed until all tiles are in them.
#pragma once
#include "exchange.h"
#include "winograd.h"

namespace {

// The windows of a vector of channels, which lie so far apart.
inline void load_windows(const float* first, int64_t apart, vf (&g)[3][3]) {
#if defined(__AVX512F__)
  wu rows[kLanes];
  for (int lane = 0; lane < kLanes; lane++) rows[lane] = (wu)_mm512_maskz_loadu_ps(0x1ff, first + lane * apart);
  exchange<8, kLanes>(rows);
  exchange<4, kLanes>(rows);
  exchange<2, kLanes>(rows);
  exchange<1, kLanes>(rows);
  for (int k = 0; k < 9; k++) g[k / 3][k % 3] = (vf)rows[k];
#else
  for (int k = 0; k < 9; k++) {
    for (int lane = 0; lane < kLanes; lane++) g[k / 3][k % 3][lane] = first[lane * apart + k];
  }
#endif
}

inline void store_windows(const vf (&g)[3][3], float* first, int64_t apart) {
#if defined(__AVX512F__)
  wu rows[kLanes];
  for (int k = 0; k < kLanes; k++) rows[k] = k < 9 ? (wu)g[k / 3][k % 3] : wu{};
  exchange<8, kLanes>(rows);
  exchange<4, kLanes>(rows);
  exchange<2, kLanes>(rows);
  exchange<1, kLanes>(rows);
  for (int lane = 0; lane < kLanes; lane++) _mm512_mask_storeu_ps(first + lane * apart, 0x1ff, (__m512)rows[lane]);
#else
  for (int k = 0; k < 9; k++) {
    for (int lane = 0; lane < kLanes; lane++) first[lane * apart + k] = g[k / 3][k % 3][lane];
  }
#endif
}

// G·g·Gᵀ of all windows: [places, panels, rows, columns of a panel]. Transposed, for the gradient by the input: inputs are columns, and
// windows are turned around.
void winograd_weights(const WinogradWeightsFields& s) {
  const int64_t rows = s.transposed ? s.outputs : s.inputs, columns = s.transposed ? s.inputs : s.outputs;
  const int64_t row = s.transposed ? 9 * s.inputs : 9, apart = s.transposed ? 9 : 9 * s.inputs;
  const int64_t panels = (columns + kPanel - 1) / kPanel;
  parallel(panels * rows, kGrain / (9 * kPanel), s.threads, [=](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t panel = i / rows * kPanel, width = at_most(columns - panel, kPanel), at = i % rows;
      for (int64_t c = 0; c < width; c += kLanes) {
        vf read[3][3], g[3][3], all[kSide][kSide];
        load_windows(s.weight + at * row + (panel + c) * apart, apart, read);
        UNROLLED
        for (int k = 0; k < 9; k++) {
          const int from = s.transposed ? 8 - k : k;
          g[k / 3][k % 3] = read[from / 3][from % 3];
        }
        both_ways(g, all, [](const auto& from, auto& out) { Winograd::window(from, out); });
        store_places(all, s.packed + panel * rows + at * width + c, place_of_weights(rows, columns));
      }
    }
  });
}

// A·dy·Aᵀ of all channels of a tile. Adds them up to `bias` if there is one.
inline void transform_gradient(const float* dy, int64_t row, int64_t column, const Tile& tile, float* to, const Spaced& spaced, float* bias) {
  for (int64_t c = 0; c < column; c += kLanes) {
    vf d[kResults][kResults], all[kSide][kSide], sum{};
    UNROLLED
    for (int i = 0; i < kResults; i++) {
      UNROLLED
      for (int j = 0; j < kResults; j++) {
        d[i][j] = i < tile.rows && j < tile.columns ? load(dy + i * row + j * column + c) : vf{};
        sum += d[i][j];
      }
    }
    if (bias) store(bias + c, load(bias + c) + sum);
    both_ways(d, all, [](const auto& from, auto& out) { Winograd::gradient(from, out); });
    store_places(all, to + c / kLanes * spaced.vector, spaced.place);
  }
}

// What a tile sees, and its gradient, transformed. `copy`: room for what it sees.
template <class Fields>
inline void transform_tile(const Fields& s, const Tile& tile, float* copy, float* seen, const Spaced& in, float* gradients,
                           const Spaced& out, float* bias) {
  const float* image = s.x + tile.image * s.height * s.width * s.inputs;
  const Square square =
      seen_by(image, s.height, s.width, s.inputs, tile.y - s.top, tile.x - s.left, copy);
  transform_input(square, s.inputs, seen, in);
  const float* dy = s.dy + ((tile.image * s.out_height + tile.y) * s.out_width + tile.x) * s.outputs;
  transform_gradient(dy, s.out_width * s.outputs, s.outputs, tile, gradients, out, bias);
}

constexpr int kColumns = kRows < kLanes ? kRows : kLanes;  // of x at once: those of a vector lie side by side
constexpr int64_t kNearInputs = 16 * kColumns;  // whose sums stay in the second level of the cache

// Products of a place of so many tiles: a few inputs by a panel of outputs, added to the sums or, if `First`, to zeros.
template <int Vectors, bool First>
inline void multiply(const float* seen, const Spaced& in, int64_t input, const float* gradients, const Spaced& out, int64_t output,
                     int64_t tiles, float* sums, int64_t stride) {
  const float* x = seen + input / kLanes * in.vector + input % kLanes;
  add_columns<kColumns, Vectors, First>(x, in.tile, gradients + output / kLanes * out.vector, out.tile, out.vector, tiles, sums, stride);
}

// The windows of one input and a vector of outputs.
inline void put_windows(const vf (&m)[kSide][kSide], int64_t inputs, int64_t input, int64_t output,
                        float* dw) {
  vf g[3][3];
  both_ways(m, g, [](const auto& from, auto& out) { Winograd::window_gradient(from, out); });
  store_windows(g, dw + (output * inputs + input) * 9, inputs * 9);
}

// Adds to the sums of each thread what its tiles give, by places, inputs and outputs; behind them are those of the bias.
void winograd_weight_gradient(const WinogradWeightGradientFields& s) {
  const Tiled tiles{s.images, s.out_height, s.out_width, s.tiles};
  const auto in = Spaced::by_vector(s.inputs, s.tiles), out = Spaced::by_vector(s.outputs, s.tiles);
  const int64_t sums_place = place_of_weights(s.inputs, s.outputs);
  parallel(tiles.blocks(), 1, s.threads, [=](int64_t begin, int64_t end, int thread) {
    float *seen = s.room.of(thread), *gradients = seen + kPlaces * in.place, *copy = gradients + kPlaces * out.place;
    float *sums = s.sums.of(thread), *bias = s.bias ? sums + kPlaces * sums_place : nullptr;
    for (int64_t block = begin; block < end; block++) {
      const int64_t count = for_each_tile(tiles, block, [&](int64_t t, const Tile& tile) {
        transform_tile(s, tile, copy, seen + t * in.tile, in, gradients + t * out.tile, out, bias);
      });
      for (int64_t k = 0; k < kPlaces; k++) {
        for_each_panel(0, s.outputs, [&](int64_t output, auto vectors) {
          for (int64_t input = 0; input < s.inputs; input += kColumns) {
            multiply<vectors, false>(seen + k * in.place, in, input, gradients + k * out.place, out, output, count,
                                     sums + k * sums_place + input * s.outputs + output, s.outputs);
          }
        });
      }
    }
  });
}

// Joins what the threads have, and makes windows of it; dw lies dense [outputs, inputs, 3, 3].
void winograd_weight_gradient_merge(const WinogradWeightGradientMergeFields& s) {
  const int64_t sums_place = place_of_weights(s.inputs, s.outputs), grain = kGrain / (s.inputs * kPlaces * kLanes) + 1;
  parallel(s.outputs / kLanes, grain, s.threads, [=](int64_t begin, int64_t end, int) {
    for (int64_t output = begin * kLanes; output < end * kLanes; output += kLanes) {
      if (s.db) {
        vf sum{};
        for (int t = 0; t < s.threads; t++) sum += load(s.sums.of(t) + kPlaces * sums_place + output);
        store(s.db + output, sum);
      }
      for (int64_t input = 0; input < s.inputs; input++) {
        vf m[kSide][kSide] = {};
        for (int t = 0; t < s.threads; t++) {
          const float* from = s.sums.of(t) + input * s.outputs + output;
          for (int k = 0; k < kPlaces; k++) m[k / kSide][k % kSide] += load(from + k * sums_place);
        }
        put_windows(m, s.inputs, input, output, s.dw);
      }
    }
  });
}

// The sums of a panel over so many pixels.
template <int Vectors>
inline void add_pixels(const float* dy, int64_t pixels, int64_t channels, float* db) {
  vf sums[Vectors] = {};
  for (int64_t i = 0; i < pixels; i++) {
    for (int v = 0; v < Vectors; v++) sums[v] += load(dy + i * channels + v * kLanes);
  }
  for (int v = 0; v < Vectors; v++) store(db + v * kLanes, sums[v]);
}

// The same where weights are larger than images. All tiles are transformed once; then each thread has outputs of its own, and sums of a few
// inputs and a panel of outputs at a time, which become windows while they are in the cache.
void winograd_weight_gradient_by_outputs(const WinogradWeightGradientByOutputsFields& s) {
  const Tiled tiles{s.images, s.out_height, s.out_width, kRows};
  const auto in = Spaced::by_vector(s.inputs, s.tiles), out = Spaced::by_vector(s.outputs, s.tiles);
  float *seen = s.transformed, *gradients = seen + kPlaces * in.place;
  parallel(tiles.blocks(), 1, s.threads, [=](int64_t begin, int64_t end, int thread) {
    for (int64_t block = begin; block < end; block++) {
      for_each_tile(tiles, block, [&](int64_t t, const Tile& tile) {
        const int64_t at = block * kRows + t;
        transform_tile(s, tile, s.room.of(thread), seen + at * in.tile, in, gradients + at * out.tile, out, nullptr);
      });
    }
  });
  const int64_t panels = (s.outputs + kPanel - 1) / kPanel;
  parallel(panels, 1, s.threads, [=](int64_t begin, int64_t end, int thread) {
    float* sums = s.room.of(thread);
    for_each_panel(begin * kPanel, at_most(end * kPanel, s.outputs), [&](int64_t output, auto vectors) {
      constexpr int64_t kWidth = vectors * kLanes, kPlace = kNearInputs * kWidth + 16;
      if (s.db) add_pixels<vectors>(s.dy + output, s.images * s.out_height * s.out_width, s.outputs, s.db + output);
      for (int64_t first = 0; first < s.inputs; first += kNearInputs) {
        const int64_t inputs = at_most(s.inputs - first, kNearInputs);
        for (int64_t k = 0; k < kPlaces; k++) {
          for (int64_t input = 0; input < inputs; input += kColumns) {
            multiply<vectors, true>(seen + k * in.place, in, first + input, gradients + k * out.place, out, output, tiles.count(),
                                    sums + k * kPlace + input * kWidth, kWidth);
          }
        }
        for (int64_t input = 0; input < inputs; input++) {
          for (int v = 0; v < vectors; v++) {
            vf m[kSide][kSide];
            load_square({sums + input * kWidth + v * kLanes, kSide * kPlace, kPlace}, 0, m);
            put_windows(m, s.inputs, first + input, output + v * kLanes, s.dw);
          }
        }
      }
    });
  });
}

}  // namespace
