// Sums, products and means of integers that stand for floats, as the nearest integers of another scale. Each is exact but for one
// rounding, so it is the same whatever a vector holds, and whether or not a product and a sum are one instruction.
#pragma once
#include "pool.h"
#include "quantization.h"

namespace {

// y = f(a, b), where f takes their distances from what stands for 0 and gives steps of the result.
template <class Fields, class Function>
inline void map_integers(const Fields& s, Function f) {
  const Tiling<2> t(s.dims, s.a_strides, s.b_strides);
  const float a_zero = (float)s.a_zero_point, b_zero = (float)s.b_zero_point;
  const int zero = (int)s.zero_point;
  map_tiles<uint8_t>({s.a, s.b}, (uint8_t*)s.y, t, s.threads,
                     [=](const vf* x) { return nearest(f(x[0] - a_zero, x[1] - b_zero), zero); });
}

void integer_add(const IntegerAddFields& s) {
  const float a_factor = (float)s.a_factor, b_factor = (float)s.b_factor;
  if (s.relu) {
    return map_integers(s, [=](vf a, vf b) { return vmax(a * a_factor + b * b_factor, vf{}); });
  }
  map_integers(s, [=](vf a, vf b) { return a * a_factor + b * b_factor; });
}

void integer_multiply(const IntegerMultiplyFields& s) {
  const float factor = (float)s.factor;
  map_integers(s, [=](vf a, vf b) { return a * b * factor; });
}

// Channels are taken in blocks, whose sums stay in registers, and which threads share where there are few windows.
void integer_average_pool(const IntegerAveragePoolFields& s) {
  constexpr int kVectors = 4;
  constexpr int64_t kBlock = kVectors * kLanes;
  const Window p(s);
  const int64_t blocks = (p.c + kBlock - 1) / kBlock;
  const int input_zero = (int)s.input_zero_point, zero = (int)s.zero_point;
  parallel(p.n * p.oh * p.ow * blocks, 1 + kGrain / (p.kh * p.kw * kBlock), s.threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t at = unit / blocks, first = unit % blocks * kBlock;
      const int64_t b = at / (p.oh * p.ow), oy = at / p.ow % p.oh, ox = at % p.ow;
      const int64_t y0 = at_least(oy * p.sh - p.top, 0), y1 = at_most(oy * p.sh - p.top + p.kh, p.h);
      const int64_t x0 = at_least(ox * p.sw - p.left, 0), x1 = at_most(ox * p.sw - p.left + p.kw, p.w);
      const double size = window_size(p, oy, ox, s.count_padding);
      const vf factor = splat((float)(s.input_scale / (size * s.output_scale)));
      const int zeros = (int)((y1 - y0) * (x1 - x0)) * input_zero;
      const auto pixels = [&](auto body) __attribute__((always_inline)) {
        for (int64_t iy = y0; iy < y1; iy++) {
          for (int64_t ix = x0; ix < x1; ix++) body((const uint8_t*)s.x + ((b * p.h + iy) * p.w + ix) * p.c);
        }
      };
      const auto finish = [&](vi sum, int64_t c, int lanes) {
        put((uint8_t*)s.y, at * p.c + c, nearest(__builtin_convertvector(sum - zeros, vf) * factor, zero), lanes);
      };
      if (first + kBlock <= p.c) {
        vi sums[kVectors] = {};
        pixels([&](const uint8_t* x) {
          for (int v = 0; v < kVectors; v++) sums[v] += load_bytes(x + first + v * kLanes);
        });
        for (int v = 0; v < kVectors; v++) finish(sums[v], first + v * kLanes, kLanes);
        continue;
      }
      for (int64_t c = first; c < p.c; c += kLanes) {
        const int lanes = lanes_at(c, p.c);
        vi sum = {};
        pixels([&](const uint8_t* x) { sum += get_bytes(x + c, lanes); });
        finish(sum, c, lanes);
      }
    }
  });
}

}  // namespace
