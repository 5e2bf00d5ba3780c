// Kernels that move: parts of tensors (padding, slices and their gradients), and plain copies.
#pragma once
#include "common.h"

namespace {

template <class T>
inline void strided_copy_rows(const StridedCopyFields& s) {
  const T* x = (const T*)s.x + s.offset;
  T* y = (T*)s.y;
  if (s.fills) {
    const vf fill = splat((float)s.fill);
    for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) { put(y, at, fill, lanes); });
  }
  y += s.y_offset;
  const int64_t rank = s.dims.size;
  const List dims = s.dims, from = s.strides, to = s.y_strides;
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

// Copies a block of `dims`.
void strided_copy(const StridedCopyFields& s) {
  with_moved(s.type, [&](auto type) { strided_copy_rows<decltype(type)>(s); });
}

void copy(const CopyFields& s) {
  parallel(s.bytes, 4 * kGrain, s.threads, [&](int64_t begin, int64_t end, int) {
    memcpy(s.target + begin, s.source + begin, (size_t)(end - begin));
  });
}

}  // namespace
