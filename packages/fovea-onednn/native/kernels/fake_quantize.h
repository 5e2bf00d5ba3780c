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

// The weights of `channels` output channels, which lie side by side.
void round_side_by_side(const float* w, float* y, int64_t channels, int64_t per_channel, float largest) {
  for (int64_t first = 0; first < channels; first += kLanes) {
    const int lanes = channels - first < kLanes ? (int)(channels - first) : kLanes;
    vf most{};
    for (int64_t i = 0; i < per_channel; i++) most = vmax(vabs(get(w, first + i * channels, lanes)), most);
    const vf step = most / splat(largest), scale = select(step > 0, step, splat(1));
    for (int64_t i = 0; i < per_channel; i++) {
      const int64_t at = first + i * channels;
      put(y, at, vmin(vmax(vround(get(w, at, lanes) / scale), splat(-largest)), splat(largest)) * scale, lanes);
    }
  }
}

// Those of one channel.
void round_channel(const float* w, float* y, int64_t per_channel, float largest) {
  const auto lanes_at = [=](int64_t i) { return per_channel - i < kLanes ? (int)(per_channel - i) : kLanes; };
  vf lane_most{};
  for (int64_t i = 0; i < per_channel; i += kLanes) lane_most = vmax(vabs(get(w, i, lanes_at(i))), lane_most);
  float most = 0;
  for (int lane = 0; lane < kLanes; lane++) most = lane_most[lane] > most ? lane_most[lane] : most;
  const float step = most / largest, scale = step > 0 ? step : 1;
  for (int64_t i = 0; i < per_channel; i += kLanes) {
    const vf q = vround(get(w, i, lanes_at(i)) / scale);
    put(y, i, vmin(vmax(q, splat(-largest)), splat(largest)) * scale, lanes_at(i));
  }
}

void fake_quantize_weights(const FakeQuantizeWeightsFields& s) {
  const int64_t size = s.block * s.per_channel;
  parallel(s.channels / s.block, kGrain / size + 1, s.threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t at = begin; at < end; at++) {
      const float* w = s.weight + at * size;
      float* y = s.y + at * size;
      if (s.block == 1) {
        round_channel(w, y, s.per_channel, (float)s.largest);
      } else {
        round_side_by_side(w, y, s.block, s.per_channel, (float)s.largest);
      }
    }
  });
}

}  // namespace
