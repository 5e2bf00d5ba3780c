// The gradient of a convolution by its weights: for every tap, what it sees times the gradient of the output, summed over pixels. A
// block of pixels is small enough for the nearest cache; the sums of a few inputs by a panel of outputs stay in registers.
#pragma once
#include "panels.h"

namespace {

constexpr int kInputs = kRows;  // at once, by a panel of outputs

// Pixels of a block for which a tap lies within the image, and how far apart what they read is.
struct Patch {
  int64_t rows, columns;
  int64_t x_row, x_column, dy_row, dy_column;
};

// Adds the products of N inputs and a panel of `channels` outputs to sums that lie `stride` apart.
template <int N, bool Whole>
inline void add_patch(const Patch& p, const float* x, const float* dy, int64_t channels, float* sums, int64_t stride) {
  vf all[N][kVectors];
  for (int i = 0; i < N; i++) {
    for (int v = 0; v < kVectors; v++) all[i][v] = load(sums + i * stride + v * kLanes);
  }
  const int second = Whole ? kLanes : (int)at_most(at_least(channels - kLanes, 0), kLanes);
  const int first = Whole ? kLanes : (int)at_most(channels, kLanes);
  for (int64_t row = 0; row < p.rows; row++) {
    const float *a = x + row * p.x_row, *g = dy + row * p.dy_row;
    for (int64_t column = 0; column < p.columns; column++, a += p.x_column, g += p.dy_column) {
      const vf g0 = Whole ? load(g) : get(g, 0, first), g1 = Whole ? load(g + kLanes) : get(g, kLanes, second);
      UNROLLED
      for (int i = 0; i < N; i++) {
        const vf input = splat_at(a + i);
        all[i][0] = vmadd(input, g0, all[i][0]);
        all[i][1] = vmadd(input, g1, all[i][1]);
      }
    }
  }
  for (int i = 0; i < N; i++) {
    for (int v = 0; v < kVectors; v++) store(sums + i * stride + v * kLanes, all[i][v]);
  }
}

template <int N>
inline void add_patch(const Patch& p, const float* x, const float* dy, int64_t channels, float* sums, int64_t stride) {
  if (channels == kPanel) return add_patch<N, true>(p, x, dy, channels, sums, stride);
  add_patch<N, false>(p, x, dy, channels, sums, stride);
}

// Sums lie [groups, taps, inputs, outputs in whole panels], and behind them those of the bias.
struct Sums {
  int64_t groups, taps, inputs, outputs, padded;
  template <class Fields>
  Sums(const Fields& s, int64_t taps)
      : groups(s.groups), taps(taps), inputs(s.inputs), outputs(s.outputs), padded((s.outputs + kPanel - 1) / kPanel * kPanel) {}
  int64_t at(int64_t group, int64_t tap, int64_t input) const { return ((group * taps + tap) * inputs + input) * padded; }
  int64_t bias() const { return groups * taps * inputs * padded; }
};

// Adds what the pixels [oy, oy + rows) × [ox, ox + columns) of an image give.
inline void add_pixels(const ConvolutionWeightGradientFields& s, const Sums& layout, int64_t image, int64_t oy, int64_t rows,
                      int64_t ox, int64_t columns, float* sums) {
  const int64_t outputs = s.groups * s.outputs;
  const float *x = s.x + image * s.height * s.width * s.channels, *dy = s.dy + image * s.out_height * s.out_width * outputs;
  for (int64_t tap = 0; tap < layout.taps; tap++) {
    const int64_t ky = tap / s.kernel_width * s.dilation_y - s.top, kx = tap % s.kernel_width * s.dilation_x - s.left;
    const Range ys(oy, rows, s.stride_y, ky, s.height), xs(ox, columns, s.stride_x, kx, s.width);
    const Patch patch{ys.end - ys.first, xs.end - xs.first, s.stride_y * s.width * s.channels, s.stride_x * s.channels,
                      s.out_width * outputs, outputs};
    if (patch.rows == 0 || patch.columns == 0) continue;
    const float* a = x + (((oy + ys.first) * s.stride_y + ky) * s.width + (ox + xs.first) * s.stride_x + kx) * s.channels;
    const float* g = dy + ((oy + ys.first) * s.out_width + ox + xs.first) * outputs;
    for (int64_t group = 0; group < s.groups; group++) {
      for (int64_t output = 0; output < s.outputs; output += kPanel) {
        const int64_t channels = at_most(s.outputs - output, kPanel);
        const float* from = g + group * s.outputs + output;
        int64_t input = 0;
        for (; input + kInputs <= s.inputs; input += kInputs) {
          const float* read = a + group * s.inputs + input;
          add_patch<kInputs>(patch, read, from, channels, sums + layout.at(group, tap, input) + output, layout.padded);
        }
        for (; input < s.inputs; input++) {
          const float* read = a + group * s.inputs + input;
          add_patch<1>(patch, read, from, channels, sums + layout.at(group, tap, input) + output, layout.padded);
        }
      }
    }
  }
  if (!s.bias) return;
  float* bias = sums + layout.bias();
  for (int64_t row = oy; row < oy + rows; row++) {
    const float* g = dy + (row * s.out_width + ox) * outputs;
    for (int64_t i = 0; i < columns; i++, g += outputs) {
      for (int64_t c = 0; c < outputs; c += kLanes) {
        const int lanes = lanes_at(c, outputs);
        put(bias, c, get(bias, c, lanes) + get(g, c, lanes), lanes);
      }
    }
  }
}

// Adds to the sums, block by block.
void convolution_weight_gradient(const ConvolutionWeightGradientFields& s) {
  const Sums layout(s, s.kernel_height * s.kernel_width);
  const int64_t down = (s.out_height + s.block_rows - 1) / s.block_rows;
  const int64_t across = (s.out_width + s.block_columns - 1) / s.block_columns;
  parallel(s.images * down * across, 1, s.threads, [&](int64_t begin, int64_t end, int thread) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t ox = i % across * s.block_columns, oy = i / across % down * s.block_rows;
      const int64_t rows = at_most(s.block_rows, s.out_height - oy), columns = at_most(s.block_columns, s.out_width - ox);
      add_pixels(s, layout, i / across / down, oy, rows, ox, columns, s.sums.of(thread));
    }
  });
}

// dw lies dense [groups · outputs, inputs, taps].
void convolution_weight_gradient_merge(const ConvolutionWeightGradientMergeFields& s) {
  const Sums layout(s, s.taps);
  parallel(s.groups * s.outputs, kGrain / (s.inputs * s.taps) + 1, s.threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t output = begin; output < end; output++) {
      const int64_t group = output / s.outputs, column = output % s.outputs;
      for (int64_t input = 0; input < s.inputs; input++) {
        for (int64_t tap = 0; tap < s.taps; tap++) {
          s.dw[(output * s.inputs + input) * s.taps + tap] = sum_of_threads(s.sums, s.threads, layout.at(group, tap, input) + column);
        }
      }
      if (s.db) s.db[output] = sum_of_threads(s.sums, s.threads, layout.bias() + output);
    }
  });
}

}  // namespace
