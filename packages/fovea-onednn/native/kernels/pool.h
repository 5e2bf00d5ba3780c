// Max and average pooling over NHWC, vectors along channels. Gradients gather: each input pixel sums what the windows
// that hold it pass back, so threads never write to the same place.
#pragma once
#include "window.h"

namespace {

inline vi get_bytes(const uint8_t* p, int lanes) {
  if (lanes == kLanes) return load_bytes(p);
  uint8_t bytes[kLanes] = {};
  memcpy(bytes, p, lanes);
  return load_bytes(bytes);
}
inline void put_bytes(uint8_t* p, vi v, int lanes) {
  if (lanes == kLanes) return store_bytes(p, v);
  uint8_t bytes[kLanes];
  store_bytes(bytes, v);
  memcpy(p, bytes, lanes);
}

// The first window (of `stride`, beginning `pad` before the image) that reaches pixel i with a kernel of k.
inline int64_t first_window(int64_t i, int64_t pad, int64_t k, int64_t stride) {
  int64_t t = i + pad - k + 1;
  return t <= 0 ? 0 : (t + stride - 1) / stride;
}

// The numbers of a type as max pooling compares them, a register at a time: floats, widened.
template <class T>
struct Compared {
  using Values = vf;
  using Taps = vi;
  static constexpr int kCount = kLanes;
  static Values least() { return splat(-__builtin_inff()); }
  static Values read(const T* p, int lanes) { return get(p, 0, lanes); }
  static void write(T* p, Values v, int lanes) { put(p, 0, v, lanes); }
  static void write_taps(uint8_t* p, Taps taps, int lanes) { put_bytes(p, taps, lanes); }
  static Taps wins(Values v, Values best) { return (vi)(v > best) | (vi)(v != v); }  // NaN wins and stays
  static Values chosen(Taps mask, Values a, Values b) { return select(mask, a, b); }
};
// Bytes as they are, four times as many.
template <>
struct Compared<uint8_t> {
  typedef uint8_t Values __attribute__((vector_size(4 * kLanes)));
  using Taps = Values;
  static constexpr int kCount = 4 * kLanes;
  static Values least() { return Values{}; }
  static Values read(const uint8_t* p, int lanes) {
    Values v = {};
    lanes == kCount ? memcpy(&v, p, sizeof v) : memcpy(&v, p, lanes);
    return v;
  }
  static void write(uint8_t* p, Values v, int lanes) {
    lanes == kCount ? memcpy(p, &v, sizeof v) : memcpy(p, &v, lanes);
  }
  static void write_taps(uint8_t* p, Taps taps, int lanes) { write(p, taps, lanes); }
  static Taps wins(Values v, Values best) { return (Taps)(v > best); }
  static Values chosen(Taps mask, Values a, Values b) { return (mask & a) | (~mask & b); }
};

void max_pool(const MaxPoolFields& s) {
  const Window p(s);
  with_moved(s.type, [&](auto type) {
    using T = decltype(type);
    using C = Compared<T>;
    const T* x = (const T*)s.x;
    T* y = (T*)s.y;
    uint8_t* index = s.index;
    parallel(p.n * p.oh, 1 + kGrain / (p.ow * p.c), s.threads, [=](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) {
        const int64_t b = row / p.oh, oy = row % p.oh;
        for (int64_t ox = 0; ox < p.ow; ox++) {
          const auto channels = [&](int64_t c, int lanes) __attribute__((always_inline)) {
            typename C::Values best = C::least();
            typename C::Taps where = {};
            bool first = true;
            for (int64_t ky = 0; ky < p.kh; ky++) {
              const int64_t iy = oy * p.sh - p.top + ky;
              if (iy < 0 || iy >= p.h) continue;
              for (int64_t kx = 0; kx < p.kw; kx++) {
                const int64_t ix = ox * p.sw - p.left + kx;
                if (ix < 0 || ix >= p.w) continue;
                const auto v = C::read(x + ((b * p.h + iy) * p.w + ix) * p.c + c, lanes);
                const typename C::Taps wins = first ? ~typename C::Taps{} : C::wins(v, best);
                const typename C::Taps tap = typename C::Taps{} + (uint8_t)(ky * p.kw + kx);
                best = C::chosen(wins, v, best);
                where = (wins & tap) | (~wins & where);
                first = false;
              }
            }
            const int64_t at = (row * p.ow + ox) * p.c + c;
            C::write(y + at, best, lanes);
            C::write_taps(index + at, where, lanes);
          };
          int64_t c = 0;
          for (; c + C::kCount <= p.c; c += C::kCount) channels(c, C::kCount);
          if (c < p.c) channels(c, (int)(p.c - c));
        }
      }
    });
  });
}

// Where windows lie side by side, each passes back all that it has; what no window reaches is zero.
template <class T>
inline void max_pool_gradient_apart(const MaxPoolGradientFields& s, const Window& p) {
  const T* dy = (const T*)s.dy;
  const uint8_t* index = s.index;
  T* dx = (T*)s.dx;
  parallel(p.n * p.oh, 1 + kGrain / (p.sh * p.w * p.c), s.threads, [=](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; row++) {
      const int64_t oy = row % p.oh, first = (row / p.oh * p.h + oy * p.sh) * p.w * p.c, covered = p.ow * p.sw;
      const int64_t rows = oy + 1 < p.oh ? p.sh : p.h - oy * p.sh;
      for (int64_t ky = 0; ky < rows; ky++) {
        const int64_t rest = ky < p.sh ? covered : 0;
        memset((void*)(dx + first + (ky * p.w + rest) * p.c), 0, (size_t)((p.w - rest) * p.c) * sizeof(T));
      }
      for (int64_t ox = 0; ox < p.ow; ox++) {
        const int64_t at = (row * p.ow + ox) * p.c, to = first + ox * p.sw * p.c;
        for (int64_t c = 0; c < p.c; c += kLanes) {
          const int lanes = lanes_at(c, p.c);
          const vi taps = get_bytes(index + at + c, lanes);
          const vf gradient = get(dy, at + c, lanes);
          for (int64_t ky = 0; ky < p.kh; ky++) {
            for (int64_t kx = 0; kx < p.kw; kx++) {
              const int32_t tap = (int32_t)(ky * p.kw + kx);
              put(dx, to + (ky * p.w + kx) * p.c + c, select((vi)(taps == tap), gradient, vf{}), lanes);
            }
          }
        }
      }
    }
  });
}

void max_pool_gradient(const MaxPoolGradientFields& s) {
  const Window p(s);
  const bool apart = p.kh == p.sh && p.kw == p.sw && p.oh * p.sh <= p.h && p.ow * p.sw <= p.w && p.top == 0 && p.left == 0;
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    if (apart) return max_pool_gradient_apart<T>(s, p);
    const T* dy = (const T*)s.dy;
    const uint8_t* index = s.index;
    T* dx = (T*)s.dx;
    parallel(p.n * p.h, 1 + kGrain / (p.w * p.c), s.threads, [=](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) {
        const int64_t b = row / p.h, iy = row % p.h;
        const int64_t oy0 = first_window(iy, p.top, p.kh, p.sh), oy1 = at_most((iy + p.top) / p.sh, p.oh - 1);
        for (int64_t ix = 0; ix < p.w; ix++) {
          const int64_t ox0 = first_window(ix, p.left, p.kw, p.sw), ox1 = at_most((ix + p.left) / p.sw, p.ow - 1);
          for (int64_t c = 0; c < p.c; c += kLanes) {
            const int lanes = lanes_at(c, p.c);
            vf sum = {};
            for (int64_t oy = oy0; oy <= oy1; oy++) {
              for (int64_t ox = ox0; ox <= ox1; ox++) {
                const int64_t at = ((b * p.oh + oy) * p.ow + ox) * p.c + c;
                const int32_t tap = (int32_t)((iy + p.top - oy * p.sh) * p.kw + (ix + p.left - ox * p.sw));
                sum += select((vi)(get_bytes(index + at, lanes) == tap), get(dy, at, lanes), vf{});
              }
            }
            put(dx, (row * p.w + ix) * p.c + c, sum, lanes);
          }
        }
      }
    });
  });
}

// What the sum over the window at output (oy, ox) is divided by.
inline float window_size(const Window& p, int64_t oy, int64_t ox, bool count_padding) {
  if (count_padding) return (float)(p.kh * p.kw);
  const int64_t y0 = oy * p.sh - p.top, x0 = ox * p.sw - p.left;
  const int64_t rows = at_most(y0 + p.kh, p.h) - at_least(y0, 0), columns = at_most(x0 + p.kw, p.w) - at_least(x0, 0);
  return (float)(rows * columns);
}

void average_pool(const AveragePoolFields& s) {
  const Window p(s);
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    const T* x = (const T*)s.x;
    T* y = (T*)s.y;
    const bool count_padding = s.count_padding;
    parallel(p.n * p.oh, 1 + kGrain / (p.ow * p.c), s.threads, [=](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) {
        const int64_t b = row / p.oh, oy = row % p.oh;
        const int64_t y0 = at_least(oy * p.sh - p.top, 0), y1 = at_most(oy * p.sh - p.top + p.kh, p.h);
        for (int64_t ox = 0; ox < p.ow; ox++) {
          const int64_t x0 = at_least(ox * p.sw - p.left, 0), x1 = at_most(ox * p.sw - p.left + p.kw, p.w);
          const float scale = 1.0f / window_size(p, oy, ox, count_padding);
          for (int64_t c = 0; c < p.c; c += kLanes) {
            const int lanes = lanes_at(c, p.c);
            vf sum = {};
            for (int64_t iy = y0; iy < y1; iy++) {
              for (int64_t ix = x0; ix < x1; ix++) sum += get(x, ((b * p.h + iy) * p.w + ix) * p.c + c, lanes);
            }
            put(y, (row * p.ow + ox) * p.c + c, sum * scale, lanes);
          }
        }
      }
    });
  });
}

void average_pool_gradient(const AveragePoolGradientFields& s) {
  const Window p(s);
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    const T* dy = (const T*)s.dy;
    T* dx = (T*)s.dx;
    const bool count_padding = s.count_padding;
    parallel(p.n * p.h, 1 + kGrain / (p.w * p.c), s.threads, [=](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; row++) {
        const int64_t b = row / p.h, iy = row % p.h;
        const int64_t oy0 = first_window(iy, p.top, p.kh, p.sh), oy1 = at_most((iy + p.top) / p.sh, p.oh - 1);
        for (int64_t ix = 0; ix < p.w; ix++) {
          const int64_t ox0 = first_window(ix, p.left, p.kw, p.sw), ox1 = at_most((ix + p.left) / p.sw, p.ow - 1);
          for (int64_t c = 0; c < p.c; c += kLanes) {
            const int lanes = lanes_at(c, p.c);
            vf sum = {};
            for (int64_t oy = oy0; oy <= oy1; oy++) {
              for (int64_t ox = ox0; ox <= ox1; ox++) {
                const float scale = 1.0f / window_size(p, oy, ox, count_padding);
                sum += get(dy, ((b * p.oh + oy) * p.ow + ox) * p.c + c, lanes) * scale;
              }
            }
            put(dx, (row * p.w + ix) * p.c + c, sum, lanes);
          }
        }
      }
    });
  });
}

}  // namespace
