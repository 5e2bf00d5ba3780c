// Kernels that move or reduce: strided copies (pad, slice, broadcast and their gradients) and reductions over axes.
#pragma once
#include "common.h"

namespace {

template <class T>
inline void strided_copy_rows(const StepArgs& s) {
  const T* x = (const T*)s.buffers[0] + s.ints[3];
  T* y = (T*)s.buffers[1];
  if (s.ints[1]) {
    const vf fill = splat((float)s.floats[0]);
    for_each_flat(s.ints[2], s.threads, [&](int64_t at, int lanes) { put(y, at, fill, lanes); });
  }
  y += s.ints[4];
  const int64_t rank = s.ints[5];
  const int64_t *dims = s.ints + 6, *from = dims + rank, *to = from + rank;
  const int64_t inner = dims[rank - 1], xs = from[rank - 1], ys = to[rank - 1];
  const float scale = (float)s.floats[1];
  int64_t outer = 1;
  for (int64_t d = 0; d < rank - 1; d++) outer *= dims[d];
  parallel(outer, kGrain / (inner + 1) + 1, s.threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; r++) {
      const T* xr = x;
      T* yr = y;
      int64_t rest = r;
      for (int64_t d = rank - 2; d >= 0; d--) {
        int64_t i = rest % dims[d];
        rest /= dims[d];
        xr += i * from[d];
        yr += i * to[d];
      }
      if (xs == 1 && ys == 1) {
        for (int64_t c = 0; c < inner; c += kLanes) {
          int lanes = inner - c < kLanes ? (int)(inner - c) : kLanes;
          put(yr, c, get(xr, c, lanes) * scale, lanes);
        }
      } else {
        for (int64_t c = 0; c < inner; c++) from_float(yr + c * ys, to_float(xr[c * xs]) * scale);
      }
    }
  });
}

// buffers x, y; ints type, fill?, elements of y, offset in x, offset in y, rank, dims, strides in x, strides in y;
// floats fill value, scale. Copies a block of `dims`; a stride of 0 in x broadcasts.
void strided_copy(const StepArgs& s) {
  with_type(s.ints[0], [&](auto type) { strided_copy_rows<decltype(type)>(s); });
}

// buffers x, y; ints bytes.
void copy(const StepArgs& s) { memcpy(s.buffers[1], s.buffers[0], (size_t)s.ints[0]); }

enum Reduction : int64_t { kSum = 0, kMean = 1, kMax = 2 };

constexpr int64_t kMostChannels = 4096;  // the per-thread sums of reduce_pixels stay on its stack

// [images, pixels, channels] → [images, channels], row by row, so that memory is read in order.
template <class T>
inline void reduce_pixels(const T* x, const T* factor, T* y, int64_t images, int64_t pixels, int64_t channels,
                          float scale, int threads) {
  parallel(images, 1, threads, [&](int64_t begin, int64_t end, int) {
    alignas(64) float block[kMostChannels];
    double totals[kMostChannels];
    for (int64_t n = begin; n < end; n++) {
      for (int64_t c = 0; c < channels; c++) totals[c] = 0;
      for (int64_t start = 0; start < pixels; start += 128) {  // 128 values in float, then on in double
        const int64_t stop = start + 128 < pixels ? start + 128 : pixels;
        for (int64_t c = 0; c < channels; c++) block[c] = 0;
        for (int64_t p = start; p < stop; p++) {
          const int64_t row = (n * pixels + p) * channels;
          for (int64_t c = 0; c < channels; c += kLanes) {
            const int lanes = channels - c < kLanes ? (int)(channels - c) : kLanes;
            vf v = get(x, row + c, lanes);
            if (factor) v *= get(factor, row + c, lanes);
            put(block, c, get(block, c, lanes) + v, lanes);
          }
        }
        for (int64_t c = 0; c < channels; c++) totals[c] += block[c];
      }
      for (int64_t c = 0; c < channels; c++) from_float(y + n * channels + c, (float)(totals[c] * scale));
    }
  });
}

// Any axes: one output after another.
template <class T>
inline void reduce_axes(const StepArgs& s) {
  const T *x = (const T*)s.buffers[0], *factor = (const T*)s.buffers[1];
  T* y = (T*)s.buffers[2];
  const int64_t operation = s.ints[0], kept = s.ints[2], reduced = s.ints[3];
  const int64_t *kdims = s.ints + 4, *kstrides = kdims + kept;
  const int64_t *rdims = kstrides + kept, *rstrides = rdims + reduced;
  int64_t outputs = 1, count = 1;
  for (int64_t d = 0; d < kept; d++) outputs *= kdims[d];
  for (int64_t d = 0; d < reduced; d++) count *= rdims[d];
  const float scale = operation == kMean ? 1.0f / (float)count : 1.0f;
  const int64_t channels = kdims[kept - 1], images = kept == 2 ? kdims[0] : 1;
  const bool pixels = kept <= 2 && reduced == 1 && kstrides[kept - 1] == 1 && rstrides[0] == channels &&
                      (kept == 1 || kstrides[0] == rdims[0] * channels) && channels <= kMostChannels;
  if (pixels && operation != kMax) {
    return reduce_pixels(x, factor, y, images, rdims[0], channels, scale, s.threads);
  }
  auto offset_of = [](int64_t i, int64_t rank, const int64_t* dims, const int64_t* strides) {
    int64_t at = 0;
    for (int64_t d = rank - 1; d >= 0; d--) at += i % dims[d] * strides[d], i /= dims[d];
    return at;
  };
  parallel(outputs, kGrain / count + 1, s.threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t o = begin; o < end; o++) {
      const int64_t base = offset_of(o, kept, kdims, kstrides);
      double total = operation == kMax ? -__builtin_inf() : 0;
      for (int64_t i = 0; i < count; i++) {
        const int64_t at = base + offset_of(i, reduced, rdims, rstrides);
        double v = to_float(x[at]);
        if (factor) v *= to_float(factor[at]);
        if (operation == kMax) {
          total = v > total || v != v ? v : total;
        } else {
          total += v;
        }
      }
      from_float(y + o, (float)(total * scale));
    }
  });
}

// buffers x, factor?, y; ints operation, type, number of kept and of reduced axes, kept dims, kept strides, reduced dims,
// reduced strides. A scalar result has one kept axis of size 1. With a factor, the sum of the products.
void reduce(const StepArgs& s) {
  with_type(s.ints[1], [&](auto type) { reduce_axes<decltype(type)>(s); });
}

// buffers dy, x, y, dx; ints elements of y, values per element, then as `reduce` from the third on.
// The maxima of a window share its gradient equally.
void reduce_max_gradient(const StepArgs& s) {
  const float *dy = (const float*)s.buffers[0], *x = (const float*)s.buffers[1], *y = (const float*)s.buffers[2];
  float* dx = (float*)s.buffers[3];
  const int64_t outputs = s.ints[0], count = s.ints[1], kept = s.ints[2], reduced = s.ints[3];
  const int64_t *kdims = s.ints + 4, *kstrides = kdims + kept;
  const int64_t *rdims = kstrides + kept, *rstrides = rdims + reduced;
  auto offset_of = [](int64_t i, int64_t rank, const int64_t* dims, const int64_t* strides) {
    int64_t at = 0;
    for (int64_t d = rank - 1; d >= 0; d--) at += i % dims[d] * strides[d], i /= dims[d];
    return at;
  };
  for (int64_t o = 0; o < outputs; o++) {
    const int64_t base = offset_of(o, kept, kdims, kstrides);
    int64_t ties = 0;
    for (int64_t i = 0; i < count; i++) ties += x[base + offset_of(i, reduced, rdims, rstrides)] == y[o];
    for (int64_t i = 0; i < count; i++) {
      const int64_t at = base + offset_of(i, reduced, rdims, rstrides);
      dx[at] = x[at] == y[o] ? dy[o] / (float)ties : 0;
    }
  }
}

}  // namespace
