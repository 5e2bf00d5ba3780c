// Activations that stand alone, and their gradients.
#pragma once
#include "common.h"

namespace {

void activation(const ActivationFields& s) {
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    const T* x = (const T*)s.x;
    T* y = (T*)s.y;
    with_activation<T>(s.activation, [&](auto act) {
      for_each_flat(s.elements, s.threads,
                    [=](int64_t at, int lanes) { put(y, at, act.value(get(x, at, lanes)), lanes); });
    });
  });
}

void activation_gradient(const ActivationGradientFields& s) {
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    const T *dy = (const T*)s.dy, *x = (const T*)s.x;
    T* dx = (T*)s.dx;
    with_activation<T>(s.activation, [&](auto act) {
      for_each_flat(s.elements, s.threads, [=](int64_t at, int lanes) {
        put(dx, at, get(dy, at, lanes) * act.derivative(get(x, at, lanes)), lanes);
      });
    });
  });
}

}  // namespace
