// Convolutions over NHWC as products of matrices: as many pixels at a time as registers hold, by a panel of channels. What a window
// reads is multiplied where it lies; nothing is gathered first. Weights are packed into panels once a step.
#pragma once
#include "panels.h"

namespace {

// The pixels of an image that a convolution writes, and where their windows read: all of them, or those of one phase of a gradient.
struct Grid {
  int64_t images, rows, columns;
  int64_t height, width, channels;           // of the image that is written
  int64_t step_y, step_x, first_y, first_x;  // where in it they lie
  int64_t from_height, from_width, from_channels;
  int64_t stride_y, stride_x;  // how far windows are apart
  int64_t pixels() const { return images * rows * columns; }
  int64_t place(int64_t image, int64_t row, int64_t column) const {
    return ((image * height + first_y + row * step_y) * width + first_x + column * step_x) * channels;
  }
};

// What a window reads of one pixel: how far it is from where the window begins, and its place in the packed weights.
struct Tap {
  int32_t y, x, weights;
};

struct Taps {
  Tap* taps;
  int count, in_row;
  bool joined;  // those of a row lie side by side: pixels away from the sides read them as one piece
};

// Where a group of pixels lies in what is written, and what it reads: spans of numbers in a row, `kPixels` pointers for each, and
// where their weights begin.
template <class Number>
struct Spans {
  int64_t places[kPixels];
  int pixels;  // of the group that there are
  const Number** from;
  int32_t* weights;
  int count;
  int64_t length;
};

// Of pixels, that share what the cache holds of a panel.
constexpr int kGroups = kPixels == 4 ? 5 : 3;
constexpr int kAtOnce = kPixels * kGroups;

// A thread's own room.
template <class Number>
struct Room {
  Tap* taps;
  const Number* outside;  // what lies outside of images: so many numbers as windows read in a row
  const Number** from[kGroups];
  int32_t* weights[kGroups];
  Room(char* room, int groups, int64_t taps_most, int64_t longest, Number padding = 0) {
    for (int g = 0; g < groups; g++) from[g] = (const Number**)room + g * taps_most * kPixels;
    int32_t* numbers = (int32_t*)((const Number**)room + groups * taps_most * kPixels);
    for (int g = 0; g < groups; g++) weights[g] = numbers + g * taps_most;
    taps = (Tap*)(numbers + groups * taps_most);
    Number* filled = (Number*)(taps + taps_most);
    for (int64_t i = 0; i < longest; i++) filled[i] = padding;
    outside = filled;
  }
};

// Finds what the pixels from `first` on read; those behind the last read what it does.
template <class Number>
inline Spans<Number> spans_of(const Grid& grid, const Taps& taps, const Room<Number>& room, int group, const Number* x, int64_t first,
                              int64_t run) {
  Spans<Number> spans;
  spans.pixels = (int)at_most(grid.pixels() - first, kPixels);
  spans.from = room.from[group], spans.weights = room.weights[group], spans.count = 0;
  int64_t column = first % grid.columns, row = first / grid.columns % grid.rows, image = first / grid.columns / grid.rows;
  int64_t top[kPixels], left[kPixels];
  const Number* from[kPixels];
  bool inside = taps.joined && taps.count > 0;
  for (int i = 0; i < kPixels; i++) {
    spans.places[i] = grid.place(image, row, column);
    top[i] = row * grid.stride_y, left[i] = column * grid.stride_x;
    from[i] = x + image * grid.from_height * grid.from_width * grid.from_channels;
    inside = inside && left[i] + taps.taps[0].x >= 0 && left[i] + taps.taps[taps.in_row - 1].x < grid.from_width;
    if (i + 1 >= spans.pixels || ++column < grid.columns) continue;
    column = 0;
    if (++row == grid.rows) row = 0, image++;
  }
  spans.length = inside ? run * taps.in_row : run;
  for (int t = 0; t < taps.count; t += inside ? taps.in_row : 1) {
    const Tap& tap = taps.taps[t];
    bool adds = *room.outside != 0;
    for (int i = 0; i < kPixels; i++) {
      const int64_t y = top[i] + tap.y, at = left[i] + tap.x;
      const bool outside = y < 0 || y >= grid.from_height || at < 0 || at >= grid.from_width;
      adds = adds || !outside;
      spans.from[spans.count * kPixels + i] = outside ? room.outside : from[i] + (y * grid.from_width + at) * grid.from_channels;
    }
    if (adds) spans.weights[spans.count++] = tap.weights;
  }
  return spans;
}

// What becomes of the sums of products: of floats, they are written with what is added.
struct Result {
  const float *bias, *residual;
  float* y;
  int64_t activation = kNone, channels = 0;  // of y, where there is an activation
  vf bias_of(int64_t channel, int lanes) const { return bias ? get(bias, channel, lanes) : vf{}; }
  void put_sum(int64_t at, vf sum, int lanes) const {
    if (residual) sum += get(residual, at, lanes);
    put(y, at, sum, lanes);
  }
  // What was just written, of all channels of some pixels, lies side by side, and is still in the cache.
  void finish(int64_t first, int64_t last) const {
    if (activation == kNone) return;
    with_activation(activation, [&](auto act) {
      for (int64_t at = first * channels; at < last * channels; at += kLanes) {
        const int lanes = (int)at_most(last * channels - at, kLanes);
        put(y, at, act.value(get(y, at, lanes)), lanes);
      }
    });
  }
};

// The sums of a group of pixels by a panel of channels.
template <class Of>
inline void multiply_panel(const Spans<typename Of::Number>& spans, const typename Of::Number* panel,
                           typename Of::Vector (&sums)[kPixels][kVectors]) {
  for (int s = 0; s < spans.count; s++) {
    const typename Of::Number* x[kPixels];
    for (int i = 0; i < kPixels; i++) x[i] = spans.from[s * kPixels + i];
    add_rows<Of>(x, panel + spans.weights[s], (int)spans.length, sums);
  }
}

// Writes the channels [begin, begin + channels) of pixels.
template <bool Whole, class Spans, class Into, class Vector>
inline void put_panel(const Spans& spans, const Into& result, int64_t begin, int64_t channels,
                      const Vector (&sums)[kPixels][kVectors]) {
  for (int v = 0; v < kVectors; v++) {
    const int lanes = Whole ? kLanes : (int)at_most(channels - v * kLanes, kLanes);
    if (lanes <= 0) return;
    const Vector bias = result.bias_of(begin + v * kLanes, lanes);
    UNROLLED
    for (int i = 0; i < kPixels; i++) {
      if (i >= spans.pixels) break;
      result.put_sum(spans.places[i] + begin + v * kLanes, sums[i][v] + bias, lanes);
    }
  }
}

// Computes the pixels [begin, end), in groups; result.finish(first, last) is called for every few of them.
template <class Of, class Into>
inline void convolve(const Grid& grid, const Taps& taps, const Room<typename Of::Number>& room,
                     const Panels<typename Of::Number>& weights, const typename Of::Number* x, Into result, int64_t begin,
                     int64_t end) {
  for (int64_t first = begin; first < end; first += kAtOnce) {
    const int64_t last = at_most(first + kAtOnce, end);
    for (int64_t group = 0; group < weights.groups; group++) {
      Spans<typename Of::Number> spans[kGroups];
      for (int g = 0; first + g * kPixels < last; g++) {
        spans[g] = spans_of(grid, taps, room, g, x + group * weights.rows, first + g * kPixels, weights.rows);
      }
      for (int64_t panel = 0; panel < weights.panels(); panel++) {
        const int64_t channels = at_most(weights.columns - panel * kPanel, kPanel);
        for (int g = 0; first + g * kPixels < last; g++) {
          typename Of::Vector sums[kPixels][kVectors] = {};
          multiply_panel<Of>(spans[g], weights.at(group, panel), sums);
          const int64_t begin = group * weights.columns + panel * kPanel;
          channels == kPanel ? put_panel<true>(spans[g], result, begin, channels, sums)
                             : put_panel<false>(spans[g], result, begin, channels, sums);
        }
      }
    }
    result.finish(first, last);
  }
}

// Shares pixels so that each thread has whole groups, and enough to do.
template <class Body>
inline void share_pixels(const Grid& grid, int64_t multiply_adds, int threads, Body body) {
  const int64_t blocks = (grid.pixels() + kAtOnce - 1) / kAtOnce;
  parallel(blocks, kFewestProducts / (multiply_adds * kAtOnce) + 1, threads, [&](int64_t begin, int64_t end, int thread) {
    body(begin * kAtOnce, at_most(end * kAtOnce, grid.pixels()), thread);
  });
}

// The forward direction. @param padding what lies around images @param result_of of a thread and the first of its pixels
template <class Of, class Fields, class ResultOf>
inline void convolve_forward(const Fields& s, typename Of::Number padding, ResultOf result_of) {
  const Panels<typename Of::Number> weights(s.weights, s.groups, s.inputs, s.outputs, s.kernel_height * s.kernel_width);
  const Grid grid{s.images, s.out_height, s.out_width, s.out_height, s.out_width, s.groups * s.outputs, 1, 1, 0, 0,
                  s.height, s.width, s.channels, s.stride_y, s.stride_x};
  share_pixels(grid, weights.taps * s.inputs * grid.channels, s.threads, [&](int64_t begin, int64_t end, int thread) {
    const Room<typename Of::Number> room(s.room.of(thread), kGroups, weights.taps, s.inputs * s.kernel_width, padding);
    Taps taps{room.taps, 0, (int)s.kernel_width, s.dilation_x == 1 && s.groups == 1};
    for (int64_t k = 0; k < weights.taps; k++) {
      const int64_t y = k / s.kernel_width * s.dilation_y - s.top, x = k % s.kernel_width * s.dilation_x - s.left;
      room.taps[taps.count++] = {(int32_t)y, (int32_t)x, (int32_t)(k * s.inputs * kPanel)};
    }
    convolve<Of>(grid, taps, room, weights, s.x, result_of(thread, begin), begin, end);
  });
}

void convolution(const ConvolutionFields& s) {
  const Result result{s.bias, s.residual, s.y, s.activation, s.groups * s.outputs};
  convolve_forward<Floats>(s, 0, [&](int, int64_t) { return result; });
}

// Calls body(grid, first_y, first_x) for each phase of a gradient by the input: pixels are of one where the same taps of windows lie
// on them. With a stride of 1 they all are.
template <class Fields, class Body>
inline void for_each_phase(const Fields& s, int64_t out_channels, Body body) {
  for (int64_t phase = 0; phase < s.stride_y * s.stride_x; phase++) {
    const int64_t first_y = phase / s.stride_x, first_x = phase % s.stride_x;
    if (first_y >= s.height || first_x >= s.width) continue;
    const int64_t rows = (s.height - first_y - 1) / s.stride_y + 1, columns = (s.width - first_x - 1) / s.stride_x + 1;
    body(Grid{s.images, rows, columns, s.height, s.width, s.channels, s.stride_y, s.stride_x, first_y, first_x,
              s.out_height, s.out_width, out_channels, 1, 1},
         first_y, first_x);
  }
}

void convolution_input_gradient(const ConvolutionInputGradientFields& s) {
  const Panels<float> weights(s.weights, s.groups, s.outputs, s.inputs, s.kernel_height * s.kernel_width);
  for_each_phase(s, s.groups * s.outputs, [&](const Grid& grid, int64_t first_y, int64_t first_x) {
    share_pixels(grid, weights.taps * s.outputs * s.channels, s.threads, [&](int64_t begin, int64_t end, int thread) {
      const Room<float> room(s.room.of(thread), kGroups, weights.taps, s.outputs * s.kernel_width);
      const bool joined = s.stride_x == 1 && s.dilation_x == 1 && s.groups == 1;
      Taps taps{room.taps, 0, joined ? (int)s.kernel_width : 1, joined};
      for_each_gradient_tap(s, first_y, first_x, [&](int64_t y, int64_t x, int64_t tap) {
        room.taps[taps.count++] = {(int32_t)y, (int32_t)x, (int32_t)(tap * s.outputs * kPanel)};
      });
      convolve<Floats>(grid, taps, room, weights, s.dy, Result{nullptr, nullptr, s.dx}, begin, end);
    });
  });
}

}  // namespace
