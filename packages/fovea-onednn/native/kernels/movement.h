// Kernels that move: parts of tensors (padding, slices and their gradients), and plain copies.
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
          put(yr, c, get(xr, c, lanes), lanes);
        }
      } else {
        for (int64_t c = 0; c < inner; c++) yr[c * ys] = xr[c * xs];
      }
    }
  });
}

// buffers x, y; ints type, fill?, elements of y, offset in x, offset in y, rank, dims, strides in x, strides in y;
// floats fill value. Copies a block of `dims`.
void strided_copy(const StepArgs& s) {
  with_type(s.ints[0], [&](auto type) { strided_copy_rows<decltype(type)>(s); });
}

// buffers x, y; ints bytes.
void copy(const StepArgs& s) {
  parallel(s.ints[0], 4 * kGrain, s.threads, [&](int64_t begin, int64_t end, int) {
    memcpy((char*)s.buffers[1] + begin, (const char*)s.buffers[0] + begin, (size_t)(end - begin));
  });
}

}  // namespace
