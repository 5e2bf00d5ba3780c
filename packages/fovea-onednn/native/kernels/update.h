// The updates of state: optimizers, averages, sums over parts of a batch; and the number that gradients are multiplied by.
#pragma once
#include <cmath>
#include <initializer_list>

#include "common.h"

namespace {

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
