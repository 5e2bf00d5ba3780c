// Depthwise convolutions over NHWC, vectors along channels: a few pixels at a time, whose windows lie within the image, or one.
// Weights lie [taps, channels].
#pragma once
#include "convolution.h"

namespace {

// What the windows of a row read of one of their taps: where the row begins, how far the tap is, and its weights.
struct RowTap {
  const float *row, *weights;
  int64_t x;
};

// N pixels from `column` on, of the vector of channels at c. `edge`: taps may lie outside.
template <int N, bool Edge>
inline void depthwise_pixels(const Grid& grid, const RowTap* taps, int count, int64_t column, int64_t c, int lanes, vf (&sums)[N]) {
  for (int t = 0; t < count; t++) {
    const int64_t x = column * grid.stride_x + taps[t].x;
    if (Edge && (x < 0 || x >= grid.from_width)) continue;
    const vf weights = get(taps[t].weights, c, lanes);
    const float* from = taps[t].row + x * grid.channels + c;
    for (int i = 0; i < N; i++) {
      sums[i] = multiply_add(sums[i], get(from, i * grid.stride_x * grid.channels, lanes), weights);
    }
  }
}

// One row of pixels; taps lie in their order from left to right.
template <class Act>
inline void depthwise_line(const Grid& grid, const RowTap* taps, int count, const Result& result, int64_t first, Act act) {
  constexpr int kAtOnce = 4;
  int64_t least = 0, most = 0;
  for (int t = 0; t < count; t++) {
    least = taps[t].x < least ? taps[t].x : least;
    most = taps[t].x > most ? taps[t].x : most;
  }
  // Between these columns all taps lie within the image.
  const int64_t left = at_most((-least + grid.stride_x - 1) / grid.stride_x, grid.columns);
  const int64_t beyond = grid.from_width - 1 - most;
  const int64_t right = at_least(beyond < 0 ? 0 : at_most(beyond / grid.stride_x + 1, grid.columns), left);
  const auto finish = [&](int64_t column, int64_t c, int lanes, vf sum) __attribute__((always_inline)) {
    const int64_t at = grid.place(first + column) + c;
    if (result.bias) sum += get(result.bias, c, lanes);
    if (result.residual) sum += get(result.residual, at, lanes);
    put(result.y, at, act.value(sum), lanes);
  };
  const auto channels = [&](int64_t c, int lanes) __attribute__((always_inline)) {
    const auto edge = [&](int64_t from, int64_t to) __attribute__((always_inline)) {
      for (int64_t column = from; column < to; column++) {
        vf sums[1] = {};
        depthwise_pixels<1, true>(grid, taps, count, column, c, lanes, sums);
        finish(column, c, lanes, sums[0]);
      }
    };
    edge(0, left);
    int64_t column = left;
    for (; column + kAtOnce <= right; column += kAtOnce) {
      vf sums[kAtOnce] = {};
      depthwise_pixels<kAtOnce, false>(grid, taps, count, column, c, lanes, sums);
      for (int i = 0; i < kAtOnce; i++) finish(column + i, c, lanes, sums[i]);
    }
    edge(column, grid.columns);
  };
  const int64_t whole = grid.channels / kLanes * kLanes;
  for (int64_t c = 0; c < whole; c += kLanes) channels(c, kLanes);
  if (whole < grid.channels) channels(whole, (int)(grid.channels - whole));
}

// The rows [begin, end) of all images; `taps` says for each where it lies and the number of its weights.
template <class Act>
inline void depthwise_rows(const Grid& grid, const Tap* taps, int count, RowTap* room, const float* x, const float* weights,
                           const Result& result, int64_t begin, int64_t end, Act act) {
  for (int64_t row = begin; row < end; row++) {
    const float* image = x + row / grid.rows * grid.from_height * grid.from_width * grid.channels;
    int inside = 0;
    for (int t = 0; t < count; t++) {
      const int64_t y = row % grid.rows * grid.stride_y + taps[t].y;
      if (y < 0 || y >= grid.from_height) continue;
      room[inside++] = {image + y * grid.from_width * grid.channels, weights + taps[t].weights * grid.channels, taps[t].x};
    }
    depthwise_line(grid, room, inside, result, row * grid.columns, act);
  }
}

template <class Body>
inline void share_rows(const Grid& grid, int64_t taps, int threads, Body body) {
  parallel(grid.images * grid.rows, kFewestProducts / (taps * grid.columns * grid.channels) + 1, threads, body);
}

void depthwise_convolution(const DepthwiseConvolutionFields& s) {
  const int64_t taps = s.kernel_height * s.kernel_width;
  const Grid grid{s.images, s.out_height, s.out_width, s.out_height, s.out_width, s.channels, 1, 1, 0, 0,
                  s.height, s.width, s.channels, s.stride_y, s.stride_x};
  share_rows(grid, taps, s.threads, [&](int64_t begin, int64_t end, int thread) {
    Tap* all = (Tap*)s.room.of(thread);
    for (int64_t k = 0; k < taps; k++) {
      const int64_t y = k / s.kernel_width * s.dilation_y - s.top, x = k % s.kernel_width * s.dilation_x - s.left;
      all[k] = {(int32_t)y, (int32_t)x, (int32_t)k};
    }
    with_activation(s.activation, [&](auto act) {
      RowTap* room = (RowTap*)(all + taps + taps % 2);
      depthwise_rows(grid, all, (int)taps, room, s.x, s.weights, {s.bias, s.residual, s.y}, begin, end, act);
    });
  });
}

void depthwise_input_gradient(const DepthwiseInputGradientFields& s) {
  const int64_t taps = s.kernel_height * s.kernel_width;
  for (int64_t phase = 0; phase < s.stride_y * s.stride_x; phase++) {
    const int64_t first_y = phase / s.stride_x, first_x = phase % s.stride_x;
    if (first_y >= s.height || first_x >= s.width) continue;
    const Grid grid{s.images, (s.height - first_y - 1) / s.stride_y + 1, (s.width - first_x - 1) / s.stride_x + 1, s.height,
                    s.width, s.channels, s.stride_y, s.stride_x, first_y, first_x, s.out_height, s.out_width, s.channels, 1, 1};
    share_rows(grid, taps, s.threads, [&](int64_t begin, int64_t end, int thread) {
      Tap* all = (Tap*)s.room.of(thread);
      int count = 0;
      for_each_gradient_tap(s, first_y, first_x, [&](int64_t y, int64_t x, int64_t tap) {
        all[count++] = {(int32_t)y, (int32_t)x, (int32_t)(taps - 1 - tap)};
      });
      RowTap* room = (RowTap*)(all + taps + taps % 2);
      const Activation<kNone> none;
      depthwise_rows(grid, all, count, room, s.dy, s.weights, {nullptr, nullptr, s.dx}, begin, end, none);
    });
  }
}

}  // namespace
