// Depthwise convolutions over NHWC: a few pixels at a time, vectors along channels. Weights lie [taps, channels].
#pragma once
#include "convolution.h"

namespace {

// The pixels of a group, of the vector of channels at c.
template <class Act>
inline void depthwise_vector(const Spans<float>& spans, const float* weights, const Result& result, int64_t c, int lanes, Act act) {
  vf sums[kPixels] = {};
  for (int s = 0; s < spans.count; s++) {
    const vf w = get(weights + spans.weights[s], c, lanes);
    UNROLLED
    for (int i = 0; i < kPixels; i++) sums[i] = vmadd(get(spans.from[s * kPixels + i], c, lanes), w, sums[i]);
  }
  const vf bias = result.bias_of(c, lanes);
  UNROLLED
  for (int i = 0; i < kPixels; i++) {
    if (i >= spans.pixels) break;
    const int64_t at = spans.places[i] + c;
    vf sum = sums[i] + bias;
    if (result.residual) sum += get(result.residual, at, lanes);
    put(result.y, at, act.value(sum), lanes);
  }
}

// Computes the pixels [begin, end).
template <class Act>
inline void depthwise_pixels(const Grid& grid, const Taps& taps, const Room<float>& room, const float* weights, const float* x,
                             const Result& result, int64_t begin, int64_t end, Act act) {
  const int64_t whole = grid.channels / kLanes * kLanes;
  for (int64_t first = begin; first < end; first += kPixels) {
    const Spans<float> spans = spans_of(grid, taps, room, 0, x, first, grid.channels);
    for (int64_t c = 0; c < whole; c += kLanes) depthwise_vector(spans, weights, result, c, kLanes, act);
    if (whole < grid.channels) depthwise_vector(spans, weights, result, whole, (int)(grid.channels - whole), act);
  }
}

void depthwise_convolution(const DepthwiseConvolutionFields& s) {
  const int64_t count = s.kernel_height * s.kernel_width;
  const Grid grid{s.images, s.out_height, s.out_width, s.out_height, s.out_width, s.channels, 1, 1, 0, 0,
                  s.height, s.width, s.channels, s.stride_y, s.stride_x};
  share_pixels(grid, count * s.channels, s.threads, [&](int64_t begin, int64_t end, int thread) {
    const Room<float> room(s.room.of(thread), 1, count, s.channels);
    Taps taps{room.taps, 0, 1, false};
    for (int64_t k = 0; k < count; k++) {
      const int64_t y = k / s.kernel_width * s.dilation_y - s.top, x = k % s.kernel_width * s.dilation_x - s.left;
      room.taps[taps.count++] = {(int32_t)y, (int32_t)x, (int32_t)(k * s.channels)};
    }
    with_activation(s.activation, [&](auto act) {
      depthwise_pixels(grid, taps, room, s.weights, s.x, {s.bias, s.residual, s.y}, begin, end, act);
    });
  });
}

void depthwise_input_gradient(const DepthwiseInputGradientFields& s) {
  const int64_t count = s.kernel_height * s.kernel_width;
  for_each_phase(s, s.channels, [&](const Grid& grid, int64_t first_y, int64_t first_x) {
    share_pixels(grid, count * s.channels, s.threads, [&](int64_t begin, int64_t end, int thread) {
      const Room<float> room(s.room.of(thread), 1, count, s.channels);
      Taps taps{room.taps, 0, 1, false};
      for_each_gradient_tap(s, first_y, first_x, [&](int64_t y, int64_t x, int64_t tap) {
        room.taps[taps.count++] = {(int32_t)y, (int32_t)x, (int32_t)((count - 1 - tap) * s.channels)};
      });
      const Activation<kNone> none;
      depthwise_pixels(grid, taps, room, s.weights, s.dy, {nullptr, nullptr, s.dx}, begin, end, none);
    });
  });
}

}  // namespace
