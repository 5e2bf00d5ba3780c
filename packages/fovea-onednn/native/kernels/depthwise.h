// The weight gradient of depthwise convolutions, directly over NHWC: oneDNN 2.6 has no fast one for 5×5 windows.
// A thread owns vectors of channels, so no sums are shared; a row of the window's sums stays in registers.
#pragma once
#include "pool.h"

namespace {

constexpr int64_t kRowPixels = 256;  // rows up to this wide are widened to float once, not once for each tap

// One vector of channels of a row of pixels, as floats `stride` apart: in place, or widened into `buffer`.
inline const float* widen(const float* row, int64_t, int64_t channels, int, float*, int64_t& stride) {
  stride = channels;
  return row;
}
inline const float* widen(const bf16* row, int64_t pixels, int64_t channels, int lanes, float* buffer, int64_t& stride) {
  for (int64_t i = 0; i < pixels; i++) store(buffer + i * kLanes, get(row, i * channels, lanes));
  stride = kLanes;
  return buffer;
}

// Adds to the sums of one kernel row what one row of x and of dy give.
template <int K>
inline void depthwise_row(const Window& p, const float* x, int64_t xs, const float* dy, int64_t ys, int lanes, vf* row) {
  for (int64_t ox = 0; ox < p.ow; ox++) {
    const int64_t ix = ox * p.sw - p.left;
    if (lanes == kLanes && ix >= 0 && ix + K <= p.w) {
      const vf g = load(dy + ox * ys);
      for (int kx = 0; kx < K; kx++) row[kx] += g * load(x + (ix + kx) * xs);
    } else {
      const vf g = get(dy, ox * ys, lanes);
      for (int kx = 0; kx < K; kx++) {
        if (ix + kx >= 0 && ix + kx < p.w) row[kx] += g * get(x, (ix + kx) * xs, lanes);
      }
    }
  }
}

// The sums of kernel row `ky` over one image; x and dy point at the image's first value of this vector of channels.
template <int K, class T>
inline void depthwise_kernel_row(const Window& p, const T* x, const T* dy, int64_t ky, int lanes, vf* sums) {
  alignas(64) float xbuffer[kRowPixels * kLanes], dybuffer[kRowPixels * kLanes];
  vf row[K] = {};
  for (int64_t oy = 0; oy < p.oh; oy++) {
    const int64_t iy = oy * p.sh - p.top + ky;
    if (iy < 0 || iy >= p.h) continue;
    int64_t xs, ys;
    const float* xr = widen(x + iy * p.w * p.c, p.w, p.c, lanes, xbuffer, xs);
    const float* dyr = widen(dy + oy * p.ow * p.c, p.ow, p.c, lanes, dybuffer, ys);
    depthwise_row<K>(p, xr, xs, dyr, ys, lanes, row);
  }
  for (int kx = 0; kx < K; kx++) sums[kx] += row[kx];
}

template <int K, class T>
inline void depthwise_weights(const Window& p, const StepArgs& s) {
  const T *x = (const T*)s.buffers[0], *dy = (const T*)s.buffers[1];
  float* dw = (float*)s.buffers[2];
  parallel((p.c + kLanes - 1) / kLanes, 1, s.threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t block = begin; block < end; block++) {
      const int64_t c = block * kLanes;
      const int lanes = lanes_at(c, p.c);
      vf sums[K * K] = {};
      for (int64_t n = 0; n < p.n; n++) {
        const T *xn = x + n * p.h * p.w * p.c + c, *dyn = dy + n * p.oh * p.ow * p.c + c;
        for (int64_t ky = 0; ky < K; ky++) depthwise_kernel_row<K>(p, xn, dyn, ky, lanes, sums + ky * K);
      }
      for (int j = 0; j < lanes; j++) {
        for (int k = 0; k < K * K; k++) dw[(c + j) * K * K + k] = sums[k][j];
      }
    }
  });
}

// buffers x, dy, dw (dense [channels, 1, k, k]); ints as the pooling kernels; k is 5 or 7; a
// bfloat16 row has at most 256 pixels.
void depthwise_weight_gradient(const StepArgs& s) {
  const Window p(s.ints);
  with_type(s.ints[12], [&](auto type) {
    using T = decltype(type);
    if (p.kh == 5) depthwise_weights<5, T>(p, s);
    if (p.kh == 7) depthwise_weights<7, T>(p, s);
  });
}

}  // namespace
