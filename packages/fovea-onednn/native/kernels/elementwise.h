// Elementwise kernels: activations, casts, dropout, fused updates of the optimizers.
#pragma once
#include <cmath>
#include <initializer_list>
#include <limits>

#include "common.h"

namespace {

void activation(const ActivationFields& s) {
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    const T* x = (const T*)s.x;
    T* y = (T*)s.y;
    with_activation(s.activation, [&](auto act) {
      for_each_flat(s.elements, s.threads,
                    [&](int64_t at, int lanes) { put(y, at, act.value(get(x, at, lanes)), lanes); });
    });
  });
}

void activation_gradient(const ActivationGradientFields& s) {
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    const T *dy = (const T*)s.dy, *x = (const T*)s.x;
    T* dx = (T*)s.dx;
    with_activation(s.activation, [&](auto act) {
      for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) {
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
inline void cast_integers(const CastFields& s) {
  for (int64_t i = 0; i < s.elements; i++) {
    double value;
    if (s.from == kInt32) {
      value = ((const int32_t*)s.x)[i];
    } else if (s.from == kUint8) {
      value = ((const uint8_t*)s.x)[i];
    } else {
      with_type(s.from, [&](auto source) { value = to_float(((const decltype(source)*)s.x)[i]); });
    }
    if (s.to == kInt32) {
      ((int32_t*)s.y)[i] = to_integer<int32_t>(value);
    } else if (s.to == kUint8) {
      ((uint8_t*)s.y)[i] = to_integer<uint8_t>(value);
    } else {
      with_type(s.to, [&](auto target) { from_float((decltype(target)*)s.y + i, (float)value); });
    }
  }
}

void cast(const CastFields& s) {
  const auto is_integer = [](int64_t type) { return type == kInt32 || type == kUint8; };
  if (is_integer(s.from) || is_integer(s.to)) return cast_integers(s);
  with_type(s.from, [&](auto source) {
    with_type(s.to, [&](auto target) {
      const auto* x = (const decltype(source)*)s.x;
      auto* y = (decltype(target)*)s.y;
      for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) {
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

// PyTorch's formula: g += decay·p; v = momentum·v + g; p −= rate·(nesterov ? g + momentum·v : v).
void sgd(const SgdFields& s) {
  const float *p = s.parameter, *g = s.gradient, *v = s.velocity;
  const float scale = *s.scale, rate = *s.rate, momentum = (float)s.momentum, decay = (float)s.weight_decay;
  float *out = s.next_parameter, *velocity = s.next_velocity;
  if (v ? keep_states(scale, s.elements, {p, v}, {out, velocity}) : keep_states(scale, s.elements, {p}, {out})) return;
  for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) {
    vf w = get(p, at, lanes);
    vf step = scale * get(g, at, lanes) + decay * w;
    if (v) {
      vf next = momentum * get(v, at, lanes) + step;
      put(velocity, at, next, lanes);
      step = s.nesterov ? step + momentum * next : next;
    }
    put(out, at, w - rate * step, lanes);
  });
}

// Kingma and Ba 2014; decoupled decay: Loshchilov and Hutter 2017.
void adam(const AdamFields& s) {
  const float *p = s.parameter, *g = s.gradient, *m = s.mean, *v = s.square;
  float *out = s.next_parameter, *mout = s.next_mean, *vout = s.next_square;
  const float scale = *s.scale;
  if (keep_states(scale, s.elements, {p, m, v}, {out, mout, vout})) return;
  const double step = *s.step, b1 = s.beta1, b2 = s.beta2;
  const float rate = *s.rate, decay = (float)s.weight_decay, epsilon = (float)s.epsilon;
  const float beta1 = (float)b1, beta2 = (float)b2, rest1 = (float)(1 - b1), rest2 = (float)(1 - b2);
  const float correction1 = (float)(1 / (1 - std::pow(b1, step)));
  const float correction2 = (float)(1 / (1 - std::pow(b2, step)));
  const bool decoupled = s.decoupled;
  for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) {
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

// TensorFlow's RMSProp: epsilon inside the root, the rate inside the velocity.
void rms_prop(const RmsPropFields& s) {
  const float *p = s.parameter, *g = s.gradient, *ms = s.mean_square, *v = s.velocity;
  float *out = s.next_parameter, *msout = s.next_mean_square, *vout = s.next_velocity;
  const float scale = *s.scale, rate = *s.rate;
  if (keep_states(scale, s.elements, {p, ms, v}, {out, msout, vout})) return;
  const float decay = (float)s.decay, rest = (float)(1 - s.decay), momentum = (float)s.momentum;
  const float epsilon = (float)s.epsilon, weight_decay = (float)s.weight_decay;
  for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) {
    vf w = get(p, at, lanes);
    vf gradient = scale * get(g, at, lanes) + weight_decay * w;
    vf square = decay * get(ms, at, lanes) + rest * gradient * gradient;
    vf velocity = momentum * get(v, at, lanes) + rate * gradient / vsqrt(square + epsilon);
    put(msout, at, square, lanes);
    put(vout, at, velocity, lanes);
    put(out, at, w - velocity, lanes);
  });
}

void running_average(const RunningAverageFields& s) {
  const float *old = s.old, *value = s.value;
  float* out = s.next;
  const float momentum = (float)s.momentum, scale = (float)s.scale;
  for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) {
    vf o = get(old, at, lanes);
    put(out, at, o + momentum * (scale * get(value, at, lanes) - o), lanes);
  });
}

// The value at first, then the sum of both.
void accumulate(const AccumulateFields& s) {
  const float *sum = s.sum, *value = s.value;
  const bool first = *s.first != 0;
  float* y = s.next_sum;
  for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) {
    const vf v = get(value, at, lanes);
    put(y, at, first ? v : get(sum, at, lanes) + v, lanes);
  });
}

// At t = 0 exactly a, at t = 1 exactly b.
void lerp(const LerpFields& s) {
  const float *a = s.a, *b = s.b;
  const float t = *s.t;
  float* y = s.y;
  if (t == 0 && y == a) return;
  for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) {
    vf from = get(a, at, lanes), to = get(b, at, lanes);
    put(y, at, t == 0 ? from : t == 1 ? to : from + t * (to - from), lanes);
  });
}

void where(const WhereFields& s) {
  const float* from = *s.condition != 0 ? s.a : s.b;
  float* y = s.y;
  if (from == y) return;
  for_each_flat(s.elements, s.threads, [&](int64_t at, int lanes) { put(y, at, get(from, at, lanes), lanes); });
}

void gradient_scale(const GradientScaleFields& s) {
  const float squares = *s.squares;
  const double divisor = (double)*s.loss_scale * s.parts, longest = s.longest_norm;
  const double norm = std::sqrt((double)squares) / divisor;
  const bool finite = std::isfinite(squares), counts = finite && *s.counts != 0;
  *s.factor = counts ? (float)((norm > longest ? longest / norm : 1) / divisor) : 0;
  *s.norm = (float)norm;
  *s.finite = finite ? 1 : 0;
}

}  // namespace
