// The gradient of such a convolution by its weights: Gᵀ·(Σ (A·dy·Aᵀ) ⊙ (Bᵀ·d·B))·G, the sum over all tiles. For each place of a tile
// that is a product of matrices, whose sums stay transformed until all tiles are in them.
#pragma once
#include "convolution_weights.h"
#include "winograd.h"

namespace {

// A·dy·Aᵀ of the 2×2 numbers from `dy` on, of which `rows` and `columns` are within the image. Adds them to `bias` if there is one.
inline void transform_gradient(const float* dy, int64_t row, int64_t column, int64_t rows, int64_t columns, int64_t channels,
                               float* to, int64_t place, float* bias) {
  const auto combine = [](int i, vf a, vf b) { return i == 0 ? a : i == 1 ? a + b : i == 2 ? a - b : -b; };
  for (int64_t c = 0; c < channels; c += kLanes) {
    const vf a = load(dy + c), b = columns > 1 ? load(dy + column + c) : vf{};
    const vf d = rows > 1 ? load(dy + row + c) : vf{}, e = rows > 1 && columns > 1 ? load(dy + row + column + c) : vf{};
    if (bias) store(bias + c, load(bias + c) + ((a + b) + (d + e)));
#pragma clang loop unroll(full)
    for (int i = 0; i < kSide; i++) {
      const vf left = combine(i, a, d), right = combine(i, b, e);
#pragma clang loop unroll(full)
      for (int j = 0; j < kSide; j++) store(to + (i * kSide + j) * place + c, combine(j, left, right));
    }
  }
}

// Adds to sums [places, inputs, outputs], and behind them those of the bias.
void winograd_weight_gradient(const WinogradWeightGradientFields& s) {
  const Tiles tiles{s.images, s.out_height, s.out_width};
  parallel(tiles.blocks(), 1, s.threads, [&](int64_t begin, int64_t end, int thread) {
    float *seen = s.room.of(thread), *gradients = seen + kPlaces * place_of(s.inputs);
    float *patch = gradients + kPlaces * place_of(s.outputs), *sums = s.sums.of(thread);
    float* bias = s.bias ? sums + kPlaces * s.inputs * s.outputs : nullptr;
    for (int64_t number = begin; number < end; number++) {
      const Block block(tiles, number);
      for (int64_t t = 0; t < block.count; t++) {
        const Tile& tile = block.tiles[t];
        const float* image = s.x + tile.image * s.height * s.width * s.inputs;
        const Patch4 read = seen_by(image, s.height, s.width, s.inputs, tile.y - s.top, tile.x - s.left, patch);
        transform_input(read, s.inputs, seen + t * s.inputs, place_of(s.inputs));
        const float* dy = s.dy + ((tile.image * s.out_height + tile.y) * s.out_width + tile.x) * s.outputs;
        transform_gradient(dy, s.out_width * s.outputs, s.outputs, tile.rows, tile.columns, s.outputs,
                           gradients + t * s.outputs, place_of(s.outputs), bias);
      }
      const Patch row{1, block.count, 0, s.inputs, 0, s.outputs};
      for (int64_t k = 0; k < kPlaces; k++) {
        for (int64_t output = 0; output < s.outputs; output += kPanel) {
          for (int64_t input = 0; input < s.inputs; input += kInputs) {
            add_patch<kInputs, true>(row, seen + k * place_of(s.inputs) + input, gradients + k * place_of(s.outputs) + output,
                                     kPanel, sums + (k * s.inputs + input) * s.outputs + output, s.outputs);
          }
        }
      }
    }
  });
}

// Joins what the threads have, and makes windows of it; dw lies dense [outputs, inputs, 3, 3].
void winograd_weight_gradient_merge(const WinogradWeightGradientMergeFields& s) {
  const auto combine = [](int i, vf a, vf b, vf c, vf d) {
    return i == 0 ? a + 0.5f * (b + c) : i == 1 ? 0.5f * (b - c) : 0.5f * (b + c) + d;
  };
  parallel(s.outputs / kLanes, kGrain / (s.inputs * kPlaces * kLanes) + 1, s.threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t output = begin * kLanes; output < end * kLanes; output += kLanes) {
      if (s.db) {
        vf sum{};
        for (int t = 0; t < s.threads; t++) sum += load(s.sums.of(t) + kPlaces * s.inputs * s.outputs + output);
        store(s.db + output, sum);
      }
      for (int64_t input = 0; input < s.inputs; input++) {
        vf m[kPlaces] = {};
        for (int t = 0; t < s.threads; t++) {
          for (int k = 0; k < kPlaces; k++) m[k] += load(s.sums.of(t) + (k * s.inputs + input) * s.outputs + output);
        }
        for (int i = 0; i < 3; i++) {
          vf row[kSide];
          for (int j = 0; j < kSide; j++) row[j] = combine(i, m[j], m[kSide + j], m[2 * kSide + j], m[3 * kSide + j]);
          for (int j = 0; j < 3; j++) {
            const vf g = combine(j, row[0], row[1], row[2], row[3]);
            for (int lane = 0; lane < kLanes; lane++) s.dw[((output + lane) * s.inputs + input) * 9 + i * 3 + j] = g[lane];
          }
        }
      }
    }
  });
}

}  // namespace
