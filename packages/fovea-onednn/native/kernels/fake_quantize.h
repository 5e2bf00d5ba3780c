// Floats as 8 bits will tell them apart, for training that is to bear it (fovea/src/ops/fake-quantize.ts).
#pragma once
#include <cmath>

#include "quantization.h"

namespace {

// The 256 numbers between the ends of an activation, chosen as fovea/src/ops/quantization.ts does.
struct Levels {
  vf scale, zero;

  explicit Levels(const float* extent) {
    const double below = extent[0], above = extent[1];
    float step = (float)((above + below) / 255), zero_point = 0;
    if (step > 0) {
      const double place = std::floor(below / step + 0.5);
      zero_point = (float)(place < 0 ? 0 : place > 255 ? 255 : place);
    } else {
      step = 1;
    }
    scale = splat(step);
    zero = splat(zero_point);
  }
  // The level nearest to x, which may lie beyond the last; far beyond for what is no number.
  vf nearest(vf x) const { return vround(vmin(vmax(x / scale, splat(-kMost)), splat(kMost))) + zero; }
};

void fake_quantize(const FakeQuantizeFields& s) {
  const Levels levels(s.extent);
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) {
      const vf x = get((const T*)s.x, at, lanes);
      const vf q = vmin(vmax(levels.nearest(x), vf{}), splat(255));
      put((T*)s.y, at, x == x ? (q - levels.zero) * levels.scale : x, lanes);
    });
  });
}

void fake_quantize_gradient(const FakeQuantizeGradientFields& s) {
  const Levels levels(s.extent);
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) {
      const vf q = levels.nearest(get((const T*)s.x, at, lanes)), dy = get((const T*)s.dy, at, lanes);
      put((T*)s.dx, at, ((q >= 0) & (q <= 255)) ? dy : vf{}, lanes);
    });
  });
}

void extent_by_image(const ExtentByImageFields& s) {
  // What is no number stays.
  const auto larger = [](vf a, vf b) { return select((b > a) | (b != b), b, a); };
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    parallel(s.images, kGrain / s.per_image + 1, s.threads, [&](int64_t begin, int64_t end, int) {
      for (int64_t image = begin; image < end; image++) {
        const T* x = (const T*)s.x + image * s.per_image;
        vf below{}, above{};
        for (int64_t at = 0; at < s.per_image; at += kLanes) {
          const vf v = get(x, at, s.per_image - at < kLanes ? (int)(s.per_image - at) : kLanes);
          below = larger(below, -v);
          above = larger(above, v);
        }
        float ends[2] = {};
        for (int lane = 0; lane < kLanes; lane++) {
          if (below[lane] > ends[0] || below[lane] != below[lane]) ends[0] = below[lane];
          if (above[lane] > ends[1] || above[lane] != above[lane]) ends[1] = above[lane];
        }
        memcpy(s.extents + 2 * image, ends, sizeof ends);
      }
    });
  });
}

void fake_quantize_weights(const FakeQuantizeWeightsFields& s) {
  parallel(s.channels, kGrain / s.per_channel + 1, s.threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t channel = begin; channel < end; channel++) {
      const float* w = s.weight + channel * s.per_channel;
      float* y = s.y + channel * s.per_channel;
      float most = 0;
      for (int64_t i = 0; i < s.per_channel; i++) most = std::fabs(w[i]) > most ? std::fabs(w[i]) : most;
      const float largest = (float)s.largest, step = most / largest, scale = step > 0 ? step : 1;
      for (int64_t i = 0; i < s.per_channel; i += kLanes) {
        const int lanes = s.per_channel - i < kLanes ? (int)(s.per_channel - i) : kLanes;
        put(y, i, vmin(vmax(vround(get(w, i, lanes) / scale), splat(-largest)), splat(largest)) * scale, lanes);
      }
    }
  });
}

}  // namespace
