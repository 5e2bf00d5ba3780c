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

void softmax(const SoftmaxFields& s) {
  const int64_t n = s.columns;
  each_row(s.rows, n, s.threads, [&](int64_t r) {
    const float* x = s.x + r * n;
    float* y = s.y + r * n;
    const double norm = log_sum_exp(x, n);
    for (int64_t i = 0; i < n; i++) y[i] = (float)std::exp(x[i] - norm);
  });
}

// dx = y · (dy − Σ dy·y).
void softmax_gradient(const SoftmaxGradientFields& s) {
  const int64_t n = s.columns;
  each_row(s.rows, n, s.threads, [&](int64_t r) {
    const float *dy = s.dy + r * n, *y = s.y + r * n;
    float* dx = s.dx + r * n;
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
  template <class Fields>
  explicit Target(const Fields& s)
      : index(s.soft_labels ? nullptr : (const int32_t*)s.labels), soft(s.soft_labels ? (const float*)s.labels : nullptr),
        classes(s.columns), smoothing(s.smoothing) {}
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

void cross_entropy(const CrossEntropyFields& s) {
  const int64_t rows = s.rows, n = s.columns;
  const Target target(s);
  double* losses = s.losses.of(0);
  each_row(rows, n, s.threads, [&](int64_t r) {
    const float* x = s.logits + r * n;
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
  *s.loss = (float)(sum / (double)rows);
}

void cross_entropy_gradient(const CrossEntropyGradientFields& s) {
  const int64_t rows = s.rows, n = s.columns;
  const Target target(s);
  const double scale = *s.dloss / (double)rows;
  each_row(rows, n, s.threads, [&](int64_t r) {
    const float* x = s.logits + r * n;
    float* dx = s.dlogits + r * n;
    const double norm = log_sum_exp(x, n);
    const double mass = target.mass(r);
    for (int64_t i = 0; i < n; i++) dx[i] = (float)(scale * (mass * std::exp(x[i] - norm) - target.of(r, i, mass)));
  });
}

void mean_squared_error(const MeanSquaredErrorFields& s) {
  const float *p = s.prediction, *t = s.target;
  double sum = 0;
  for (int64_t i = 0; i < s.elements; i++) sum += ((double)p[i] - t[i]) * ((double)p[i] - t[i]);
  *s.loss = (float)(sum / (double)s.elements);
}

void mean_squared_error_gradient(const MeanSquaredErrorGradientFields& s) {
  const float *p = s.prediction, *t = s.target;
  float* dp = s.dprediction;
  const float scale = 2 * *s.dloss / (float)s.elements;
  for (int64_t i = 0; i < s.elements; i++) dp[i] = scale * (p[i] - t[i]);
}

}  // namespace
