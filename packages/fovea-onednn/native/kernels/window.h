// Where the windows of convolutions and pooling lie over NHWC images.
#pragma once
#include "common.h"

namespace {

struct Window {
  int64_t n, h, w, c, oh, ow, kh, kw, sh, sw, top, left;
  template <class Fields>
  Window(const Fields& s, int64_t kernel_height, int64_t kernel_width)
      : n(s.images), h(s.height), w(s.width), c(s.channels), oh(s.out_height), ow(s.out_width), kh(kernel_height),
        kw(kernel_width), sh(s.stride_y), sw(s.stride_x), top(s.top), left(s.left) {}
  template <class Fields>
  explicit Window(const Fields& s) : Window(s, s.kernel_height, s.kernel_width) {}
};

inline int lanes_at(int64_t c, int64_t channels) { return channels - c < kLanes ? (int)(channels - c) : kLanes; }
inline int64_t at_least(int64_t x, int64_t low) { return x < low ? low : x; }
inline int64_t at_most(int64_t x, int64_t high) { return x > high ? high : x; }

// The outputs [first, end), out of `count` from `begin` on, whose tap reads within `size` values of the input.
struct Range {
  int64_t first, end;
  Range(int64_t begin, int64_t count, int64_t stride, int64_t tap, int64_t size) {
    const int64_t at = begin * stride + tap;  // what the first one reads
    first = at < 0 ? at_most((stride - 1 - at) / stride, count) : 0;
    end = at_least(at < size ? at_most((size - 1 - at) / stride + 1, count) : 0, first);
  }
};

}  // namespace
