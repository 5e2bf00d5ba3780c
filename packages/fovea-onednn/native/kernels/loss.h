// Softmax, cross-entropy and mean squared error. Rows are few and short beside the network: plain loops, in double.
#pragma once
#include <cmath>

#include "common.h"

namespace {

// Applies body(row) over threads.
template <class Body>
inline void each_row(int64_t rows, int64_t columns, int threads, Body body) {
  parallel(rows, 1 + kGrain / (columns * 8), threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; r++) body(r);
  });
}

inline double log_sum_exp(const float* x, int64_t n) {
  float most = x[0];
  for (int64_t i = 1; i < n; i++) most = x[i] > most ? x[i] : most;
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += std::exp((double)(x[i] - most));
  return std::log(sum) + most;
}

// buffers x, y; ints rows, columns.
void softmax(const StepArgs& s) {
  const int64_t n = s.ints[1];
  each_row(s.ints[0], n, s.threads, [&](int64_t r) {
    const float* x = (const float*)s.buffers[0] + r * n;
    float* y = (float*)s.buffers[1] + r * n;
    const double norm = log_sum_exp(x, n);
    for (int64_t i = 0; i < n; i++) y[i] = (float)std::exp(x[i] - norm);
  });
}

// buffers dy, y, dx; ints rows, columns. dx = y · (dy − Σ dy·y).
void softmax_gradient(const StepArgs& s) {
  const int64_t n = s.ints[1];
  each_row(s.ints[0], n, s.threads, [&](int64_t r) {
    const float *dy = (const float*)s.buffers[0] + r * n, *y = (const float*)s.buffers[1] + r * n;
    float* dx = (float*)s.buffers[2] + r * n;
    double dot = 0;
    for (int64_t i = 0; i < n; i++) dot += (double)dy[i] * y[i];
    for (int64_t i = 0; i < n; i++) dx[i] = (float)(y[i] * (dy[i] - dot));
  });
}

// The smoothed targets of a row: (1 − smoothing)·q + smoothing·Σq/classes.
struct Target {
  const int32_t* index;
  const float* soft;
  int64_t classes;
  double smoothing;
  Target(const void* labels, const int64_t* ints, double smoothing)
      : index(ints[2] ? nullptr : (const int32_t*)labels), soft(ints[2] ? (const float*)labels : nullptr),
        classes(ints[1]), smoothing(smoothing) {}
  // What a row sums to, before and after.
  double mass(int64_t r) const {
    if (index) return 1;
    double sum = 0;
    for (int64_t i = 0; i < classes; i++) sum += soft[r * classes + i];
    return sum;
  }
  double of(int64_t r, int64_t i, double mass) const {
    const double q = index ? (index[r] == i ? 1 : 0) : soft[r * classes + i];
    return (1 - smoothing) * q + smoothing * mass / (double)classes;
  }
};

// buffers logits, label, loss, scratch double[rows]; ints rows, classes, soft labels?; floats smoothing.
void cross_entropy(const StepArgs& s) {
  const int64_t rows = s.ints[0], n = s.ints[1];
  const Target target(s.buffers[1], s.ints, s.floats[0]);
  double* losses = (double*)s.buffers[3];
  each_row(rows, n, s.threads, [&](int64_t r) {
    const float* x = (const float*)s.buffers[0] + r * n;
    const double norm = log_sum_exp(x, n);
    const double mass = target.mass(r);
    double loss = 0;
    for (int64_t i = 0; i < n; i++) {
      const double q = target.of(r, i, mass);
      if (q != 0) loss += q * (norm - x[i]);
    }
    losses[r] = loss;
  });
  double sum = 0;
  for (int64_t r = 0; r < rows; r++) sum += losses[r];
  *(float*)s.buffers[2] = (float)(sum / (double)rows);
}

// buffers logits, label, dloss, dlogits; ints and floats as cross_entropy.
void cross_entropy_gradient(const StepArgs& s) {
  const int64_t rows = s.ints[0], n = s.ints[1];
  const Target target(s.buffers[1], s.ints, s.floats[0]);
  const double scale = *(const float*)s.buffers[2] / (double)rows;
  each_row(rows, n, s.threads, [&](int64_t r) {
    const float* x = (const float*)s.buffers[0] + r * n;
    float* dx = (float*)s.buffers[3] + r * n;
    const double norm = log_sum_exp(x, n);
    const double mass = target.mass(r);
    for (int64_t i = 0; i < n; i++) dx[i] = (float)(scale * (mass * std::exp(x[i] - norm) - target.of(r, i, mass)));
  });
}

// buffers prediction, target, loss; ints elements.
void mean_squared_error(const StepArgs& s) {
  const float *p = (const float*)s.buffers[0], *t = (const float*)s.buffers[1];
  double sum = 0;
  for (int64_t i = 0; i < s.ints[0]; i++) sum += ((double)p[i] - t[i]) * ((double)p[i] - t[i]);
  *(float*)s.buffers[2] = (float)(sum / (double)s.ints[0]);
}

// buffers prediction, target, dloss, dprediction; ints elements.
void mean_squared_error_gradient(const StepArgs& s) {
  const float *p = (const float*)s.buffers[0], *t = (const float*)s.buffers[1];
  float* dp = (float*)s.buffers[3];
  const float scale = 2 * *(const float*)s.buffers[2] / (float)s.ints[0];
  for (int64_t i = 0; i < s.ints[0]; i++) dp[i] = scale * (p[i] - t[i]);
}

}  // namespace
