// Elementwise kernels: activations, casts, dropout, fused updates of the optimizers.
#pragma once
#include <cmath>
#include <initializer_list>
#include <limits>

#include "common.h"

namespace {

// buffers x, y; ints elements, type, activation.
void activation(const StepArgs& s) {
  with_type(s.ints[1], [&](auto type) {
    using T = decltype(type);
    const T* x = (const T*)s.buffers[0];
    T* y = (T*)s.buffers[1];
    with_activation(s.ints[2], [&](auto act) {
      for_each_flat(s.ints[0], s.threads,
                    [&](int64_t at, int lanes) { put(y, at, act.value(get(x, at, lanes)), lanes); });
    });
  });
}

// buffers dy, x, dx; ints elements, type, activation.
void activation_gradient(const StepArgs& s) {
  with_type(s.ints[1], [&](auto type) {
    using T = decltype(type);
    const T *dy = (const T*)s.buffers[0], *x = (const T*)s.buffers[1];
    T* dx = (T*)s.buffers[2];
    with_activation(s.ints[2], [&](auto act) {
      for_each_flat(s.ints[0], s.threads, [&](int64_t at, int lanes) {
        put(dx, at, get(dy, at, lanes) * act.derivative(get(x, at, lanes)), lanes);
      });
    });
  });
}

// Towards zero, limited to the range of the type; what is no number is 0.
template <class Integer>
inline Integer to_integer(double x) {
  using Limits = std::numeric_limits<Integer>;
  return x != x ? 0 : x <= Limits::min() ? Limits::min() : x >= Limits::max() ? Limits::max() : (Integer)x;
}

// Casts from and to integers, which are rare: one number after another, through double, which holds each of them.
inline void cast_integers(const StepArgs& s, int64_t from, int64_t to) {
  for (int64_t i = 0; i < s.ints[0]; i++) {
    double value;
    if (from == kInt32) {
      value = ((const int32_t*)s.buffers[0])[i];
    } else if (from == kUint8) {
      value = ((const uint8_t*)s.buffers[0])[i];
    } else {
      with_type(from, [&](auto source) { value = to_float(((const decltype(source)*)s.buffers[0])[i]); });
    }
    if (to == kInt32) {
      ((int32_t*)s.buffers[1])[i] = to_integer<int32_t>(value);
    } else if (to == kUint8) {
      ((uint8_t*)s.buffers[1])[i] = to_integer<uint8_t>(value);
    } else {
      with_type(to, [&](auto target) { from_float((decltype(target)*)s.buffers[1] + i, (float)value); });
    }
  }
}

// buffers x, y; ints elements, type of x, type of y.
void cast(const StepArgs& s) {
  const int64_t n = s.ints[0], from = s.ints[1], to = s.ints[2];
  const auto is_integer = [](int64_t type) { return type == kInt32 || type == kUint8; };
  if (is_integer(from) || is_integer(to)) return cast_integers(s, from, to);
  with_type(from, [&](auto source) {
    with_type(to, [&](auto target) {
      const auto* x = (const decltype(source)*)s.buffers[0];
      auto* y = (decltype(target)*)s.buffers[1];
      for_each_flat(n, s.threads, [&](int64_t at, int lanes) {
        const vf v = get(x, at, lanes);
        if (lanes == kLanes) return store_exactly(y + at, v);
        for (int j = 0; j < lanes; j++) from_float(y + at + j, v[j]);
      });
    });
  });
}

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

// buffers x, seed, y; ints elements, type, stream, elements per decision (1: dropout; an image: stochastic depth),
// elements of an image; floats rate.
void dropout(const StepArgs& s) {
  const uint32_t key = mix32((uint32_t)*(const int32_t*)s.buffers[1] ^ mix32((uint32_t)s.ints[2]));
  const double rate = s.floats[0];
  const double limit = std::ceil(rate * 4294967296.0);  // bits / 2^32 >= rate exactly when bits >= limit
  const float scale = rate < 1 ? (float)(1 / (1 - rate)) : 0;
  const bool none = limit >= 4294967296.0;
  const uint32_t threshold = none ? 0xffffffffu : (uint32_t)limit;
  const int64_t per = s.ints[3];
  with_type(s.ints[1], [&](auto type) {
    using T = decltype(type);
    const T* x = (const T*)s.buffers[0];
    T* y = (T*)s.buffers[2];
    if (per == 1) {
      vu index;
      for (int j = 0; j < kLanes; j++) index[j] = (uint32_t)(s.first_image * s.ints[4]) + j + 1;
      for_each_flat(s.ints[0], s.threads, [&](int64_t at, int lanes) {
        vu bits = mix32(key + 0x9e3779b9u * (index + (uint32_t)at));
        vf kept = select((vi)(bits >= threshold), get(x, at, lanes) * scale, vf{});
        put(y, at, none ? vf{} : kept, lanes);
      });
      return;
    }
    for (int64_t image = 0; image * per < s.ints[0]; image++) {
      uint32_t bits = mix32(key + 0x9e3779b9u * (uint32_t)(s.first_image + image + 1));
      float factor = !none && bits >= threshold ? scale : 0;
      const T* from = x + image * per;
      T* to = y + image * per;
      for_each_flat(per, s.threads,
                    [&](int64_t at, int lanes) { put(to, at, get(from, at, lanes) * factor, lanes); });
    }
  });
}

inline vf vsqrt(vf x) {
  vf y;
  for (int j = 0; j < kLanes; j++) y[j] = __builtin_sqrtf(x[j]);
  return y;
}

// A step that does not count: each state stays as it is, where it is, or goes to where its next content is expected.
inline bool keep_states(float scale, int64_t elements, std::initializer_list<const float*> states,
                        std::initializer_list<float*> next) {
  if (scale != 0) return false;
  auto to = next.begin();
  for (const float* state : states) {
    if (*to != state) memcpy(*to, state, (size_t)elements * sizeof(float));
    to++;
  }
  return true;
}

// The optimizers multiply the gradient by the scale; where that is 0 the step does not count.

// buffers parameter, gradient, scale, learningRate, velocity?, parameter', velocity'?; ints elements, nesterov;
// floats momentum, weightDecay. PyTorch's formula: g += decay·p; v = momentum·v + g; p −= rate·(nesterov ? g + momentum·v : v).
void sgd(const StepArgs& s) {
  const float *p = (const float*)s.buffers[0], *g = (const float*)s.buffers[1], *v = (const float*)s.buffers[4];
  const float scale = *(const float*)s.buffers[2], rate = *(const float*)s.buffers[3];
  const float momentum = (float)s.floats[0], decay = (float)s.floats[1];
  float *out = (float*)s.buffers[5], *velocity = (float*)s.buffers[6];
  if (v ? keep_states(scale, s.ints[0], {p, v}, {out, velocity}) : keep_states(scale, s.ints[0], {p}, {out})) return;
  for_each_flat(s.ints[0], s.threads, [&](int64_t at, int lanes) {
    vf w = get(p, at, lanes);
    vf step = scale * get(g, at, lanes) + decay * w;
    if (v) {
      vf next = momentum * get(v, at, lanes) + step;
      put(velocity, at, next, lanes);
      step = s.ints[1] ? step + momentum * next : next;
    }
    put(out, at, w - rate * step, lanes);
  });
}

// buffers parameter, gradient, scale, learningRate, step, m, v, parameter', m', v'; ints elements, decoupled;
// floats beta1, beta2, epsilon, weightDecay. Kingma and Ba 2014; decoupled decay: Loshchilov and Hutter 2017.
void adam(const StepArgs& s) {
  const float *p = (const float*)s.buffers[0], *g = (const float*)s.buffers[1];
  const float *m = (const float*)s.buffers[5], *v = (const float*)s.buffers[6];
  float *out = (float*)s.buffers[7], *mout = (float*)s.buffers[8], *vout = (float*)s.buffers[9];
  const float scale = *(const float*)s.buffers[2];
  if (keep_states(scale, s.ints[0], {p, m, v}, {out, mout, vout})) return;
  const double step = *(const float*)s.buffers[4], b1 = s.floats[0], b2 = s.floats[1];
  const float rate = *(const float*)s.buffers[3], decay = (float)s.floats[3], epsilon = (float)s.floats[2];
  const float beta1 = (float)b1, beta2 = (float)b2, rest1 = (float)(1 - b1), rest2 = (float)(1 - b2);
  const float correction1 = (float)(1 / (1 - std::pow(b1, step)));
  const float correction2 = (float)(1 / (1 - std::pow(b2, step)));
  const bool decoupled = s.ints[1] != 0;
  for_each_flat(s.ints[0], s.threads, [&](int64_t at, int lanes) {
    vf w = get(p, at, lanes), gradient = scale * get(g, at, lanes);
    if (decoupled) {
      w = w - rate * decay * w;
    } else {
      gradient = gradient + decay * w;
    }
    vf m1 = beta1 * get(m, at, lanes) + rest1 * gradient;
    vf v1 = beta2 * get(v, at, lanes) + rest2 * gradient * gradient;
    put(mout, at, m1, lanes);
    put(vout, at, v1, lanes);
    put(out, at, w - rate * (m1 * correction1) / (vsqrt(v1 * correction2) + epsilon), lanes);
  });
}

// buffers parameter, gradient, scale, learningRate, meanSquare, velocity, and the three results; ints elements;
// floats decay, momentum, epsilon, weightDecay. TensorFlow's RMSProp: epsilon inside the root, the rate inside the velocity.
void rms_prop(const StepArgs& s) {
  const float *p = (const float*)s.buffers[0], *g = (const float*)s.buffers[1];
  const float *ms = (const float*)s.buffers[4], *v = (const float*)s.buffers[5];
  float *out = (float*)s.buffers[6], *msout = (float*)s.buffers[7], *vout = (float*)s.buffers[8];
  const float scale = *(const float*)s.buffers[2], rate = *(const float*)s.buffers[3];
  if (keep_states(scale, s.ints[0], {p, ms, v}, {out, msout, vout})) return;
  const float decay = (float)s.floats[0], rest = (float)(1 - s.floats[0]), momentum = (float)s.floats[1];
  const float epsilon = (float)s.floats[2], weight_decay = (float)s.floats[3];
  for_each_flat(s.ints[0], s.threads, [&](int64_t at, int lanes) {
    vf w = get(p, at, lanes);
    vf gradient = scale * get(g, at, lanes) + weight_decay * w;
    vf square = decay * get(ms, at, lanes) + rest * gradient * gradient;
    vf velocity = momentum * get(v, at, lanes) + rate * gradient / vsqrt(square + epsilon);
    put(msout, at, square, lanes);
    put(vout, at, velocity, lanes);
    put(out, at, w - velocity, lanes);
  });
}

// buffers old, value, new; ints elements; floats momentum, scale: old + momentum·(scale·value − old).
void running_average(const StepArgs& s) {
  const float *old = (const float*)s.buffers[0], *value = (const float*)s.buffers[1];
  float* out = (float*)s.buffers[2];
  const float momentum = (float)s.floats[0], scale = (float)s.floats[1];
  for_each_flat(s.ints[0], s.threads, [&](int64_t at, int lanes) {
    vf o = get(old, at, lanes);
    put(out, at, o + momentum * (scale * get(value, at, lanes) - o), lanes);
  });
}

// buffers sum, value, first, sum'; ints elements: the value at first, then the sum of both.
void accumulate(const StepArgs& s) {
  const float *sum = (const float*)s.buffers[0], *value = (const float*)s.buffers[1];
  const bool first = *(const float*)s.buffers[2] != 0;
  float* y = (float*)s.buffers[3];
  for_each_flat(s.ints[0], s.threads, [&](int64_t at, int lanes) {
    const vf v = get(value, at, lanes);
    put(y, at, first ? v : get(sum, at, lanes) + v, lanes);
  });
}

// buffers a, b, t, y; ints elements: y = a + t·(b − a); at t = 0 exactly a, at t = 1 exactly b.
void lerp(const StepArgs& s) {
  const float *a = (const float*)s.buffers[0], *b = (const float*)s.buffers[1];
  const float t = *(const float*)s.buffers[2];
  float* y = (float*)s.buffers[3];
  if (t == 0 && y == a) return;
  for_each_flat(s.ints[0], s.threads, [&](int64_t at, int lanes) {
    vf from = get(a, at, lanes), to = get(b, at, lanes);
    put(y, at, t == 0 ? from : t == 1 ? to : from + t * (to - from), lanes);
  });
}

// buffers condition, a, b, y; ints elements: y = condition ? a : b.
void where(const StepArgs& s) {
  const float* from = (const float*)s.buffers[*(const float*)s.buffers[0] != 0 ? 1 : 2];
  float* y = (float*)s.buffers[3];
  if (from == y) return;
  for_each_flat(s.ints[0], s.threads, [&](int64_t at, int lanes) { put(y, at, get(from, at, lanes), lanes); });
}

// buffers sum of squares, loss scale, counts, factor, norm, finite; floats parts, longest norm (infinite: any).
void gradient_scale(const StepArgs& s) {
  const float squares = *(const float*)s.buffers[0];
  const double divisor = (double)*(const float*)s.buffers[1] * s.floats[0], longest = s.floats[1];
  const double norm = std::sqrt((double)squares) / divisor;
  const bool finite = std::isfinite(squares), counts = finite && *(const float*)s.buffers[2] != 0;
  *(float*)s.buffers[3] = counts ? (float)((norm > longest ? longest / norm : 1) / divisor) : 0;
  *(float*)s.buffers[4] = (float)norm;
  *(float*)s.buffers[5] = finite ? 1 : 0;
}

}  // namespace
