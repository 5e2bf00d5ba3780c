// Dropout and stochastic depth.
#pragma once
#include <cmath>

#include "common.h"

namespace {

// The hash of src/random.ts, bit for bit.
inline uint32_t mix32(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x85ebca6bu;
  x = (x ^ (x >> 13)) * 0xc2b2ae35u;
  return x ^ (x >> 16);
}
inline vu mix32(vu x) {
  x = (x ^ (x >> 16)) * 0x85ebca6bu;
  x = (x ^ (x >> 13)) * 0xc2b2ae35u;
  return x ^ (x >> 16);
}

// A unit is one element in dropout, an image in stochastic depth.
void dropout(const DropoutFields& s) {
  const uint32_t key = mix32((uint32_t)*s.seed ^ mix32((uint32_t)s.stream));
  const double rate = s.rate;
  const double limit = std::ceil(rate * 4294967296.0);  // bits / 2^32 >= rate exactly when bits >= limit
  const float scale = rate < 1 ? (float)(1 / (1 - rate)) : 0;
  const bool none = limit >= 4294967296.0;
  const uint32_t threshold = none ? 0xffffffffu : (uint32_t)limit;
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    const T* x = (const T*)s.x;
    T* y = (T*)s.y;
    if (s.unit == 1) {
      vu index;
      for (int j = 0; j < kLanes; j++) index[j] = (uint32_t)(s.first_image * s.image_elements) + j + 1;
      for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) {
        vu bits = mix32(key + 0x9e3779b9u * (index + (uint32_t)at));
        vf kept = select((vi)(bits >= threshold), get(x, at, lanes) * scale, vf{});
        put(y, at, none ? vf{} : kept, lanes);
      });
      return;
    }
    for (int64_t image = 0; image * s.unit < s.elements; image++) {
      uint32_t bits = mix32(key + 0x9e3779b9u * (uint32_t)(s.first_image + image + 1));
      float factor = !none && bits >= threshold ? scale : 0;
      const T* from = x + image * s.unit;
      T* to = y + image * s.unit;
      for_each_flat(s.unit, s.threads,
                    [&](int64_t at, int lanes) { put(to, at, get(from, at, lanes) * factor, lanes); });
    }
  });
}

}  // namespace
