// Batch normalization over rows of channels: forward in two passes (statistics; normalize + residual + activation),
// backward in two (reductions, which also make the residual's gradient; the input's gradient). Ioffe and Szegedy 2015.
#pragma once
#include <cmath>
#include <type_traits>

#include "common.h"

namespace {

// Column sums of two functions of the data, accumulated in registers over blocks of rows, then in double.
// term(offset, column, a, b) adds to the two sums. `out` is double[threads][2][width], cleared here.
template <class Term>
inline void column_sums(const Rows& rows, int64_t elements, int threads, double* out, Term term) {
  const int64_t width = rows.width, wide = elements / width;
  memset(out, 0, sizeof(double) * 2 * width * threads);
  constexpr int64_t kBlock = 128;  // rows summed in float before they join the double sums
  const int64_t grain = kGrain / width + 1;
  parallel(wide, grain, threads, [&](int64_t begin, int64_t end, int thread) {
    double* first = out + (int64_t)thread * 2 * width;
    double* second = first + width;
    for (int64_t block = begin; block < end; block += kBlock) {
      int64_t stop = block + kBlock < end ? block + kBlock : end;
      int64_t c = 0;
      for (; c + 64 <= width; c += 64) {
        vf a[4] = {}, b[4] = {};
        for (int64_t r = block; r < stop; r++) {
          for (int k = 0; k < 4; k++) term(r * width + c + 16 * k, c + 16 * k, kLanes, a[k], b[k]);
        }
        for (int k = 0; k < 4; k++) {
          for (int j = 0; j < kLanes; j++) first[c + 16 * k + j] += a[k][j], second[c + 16 * k + j] += b[k][j];
        }
      }
      for (; c < width; c += kLanes) {
        vf a = {}, b = {};
        for (int64_t r = block; r < stop; r++) term(r * width + c, c, kLanes, a, b);
        for (int j = 0; j < kLanes; j++) first[c + j] += a[j], second[c + j] += b[j];
      }
    }
  });
  for (int64_t at = wide * width; at < elements; at += kLanes) {  // the last rows that do not fill the width
    int lanes = elements - at < kLanes ? (int)(elements - at) : kLanes;
    int64_t c = at - wide * width;
    vf a = {}, b = {};
    term(at, c, lanes, a, b);
    for (int j = 0; j < lanes; j++) out[c + j] += a[j], out[width + c + j] += b[j];
  }
  for (int t = 1; t < threads; t++) {
    for (int64_t i = 0; i < 2 * width; i++) out[i] += out[(int64_t)t * 2 * width + i];
  }
  for (int64_t i = rows.channels; i < width; i++) {
    out[i % rows.channels] += out[i];
    out[width + i % rows.channels] += out[width + i];
  }
}

template <class T>
inline void statistics(const Rows& rows, const T* x, int64_t elements, int threads, double* sums, float* shift,
                       float* mean, float* variance) {
  // Sums of (x − shift) and its square, shift being the first value of the channel: without it, a mean far from zero
  // would cancel the variance's digits.
  for (int64_t c = 0; c < rows.channels; c++) shift[c] = to_float(x[c]);
  rows.spread(shift);
  column_sums(rows, elements, threads, sums, [&](int64_t at, int64_t c, int lanes, vf& a, vf& b) {
    vf d = get(x, at, lanes) - load(shift + c);
    a += d;
    b += d * d;
  });
  const double count = (double)(elements / rows.channels);
  for (int64_t c = 0; c < rows.channels; c++) {
    double m = sums[c] / count, v = sums[rows.width + c] / count - m * m;
    mean[c] = (float)(m + shift[c]);
    variance[c] = (float)(v > 0 ? v : 0);
  }
}

// y = activation(x·scale + offset + residual), with scale and offset spread to rows.width.
template <class T>
inline void normalize(const Rows& rows, const T* x, const T* residual, T* y, const float* scale, const float* offset,
                      int64_t elements, int64_t activation, int threads) {
  with_activation(activation, [&](auto act) {
    if (residual) {
      for_each_vector(rows, elements, threads, [&](int64_t at, int64_t c, int lanes) {
        vf z = get(x, at, lanes) * load(scale + c) + load(offset + c) + get(residual, at, lanes);
        put(y, at, act.value(z), lanes);
      });
    } else {
      for_each_vector(rows, elements, threads, [&](int64_t at, int64_t c, int lanes) {
        put(y, at, act.value(get(x, at, lanes) * load(scale + c) + load(offset + c)), lanes);
      });
    }
  });
}

inline void scale_and_offset(const Rows& rows, const float* weight, const float* bias, const float* mean,
                             const float* variance, double epsilon, float* scale, float* offset) {
  for (int64_t c = 0; c < rows.channels; c++) {
    scale[c] = (float)(weight[c] / std::sqrt((double)variance[c] + epsilon));
    offset[c] = (float)(bias[c] - (double)mean[c] * scale[c]);
  }
  rows.spread(scale);
  rows.spread(offset);
}

// buffers x, weight, bias, residual?, y, mean, variance, scratch; ints elements, channels, type, activation, training.
// With training, mean and variance are written, else read. Scratch: double[threads][2][width], float[2][width].
void batch_norm(const StepArgs& s) {
  const int64_t elements = s.ints[0], activation = s.ints[3];
  const Rows rows(s.ints[1]);
  const float *weight = (const float*)s.buffers[1], *bias = (const float*)s.buffers[2];
  float *mean = (float*)s.buffers[5], *variance = (float*)s.buffers[6];
  double* sums = (double*)s.buffers[7];
  float* scale = (float*)(sums + (int64_t)s.threads * 2 * rows.width);
  float* offset = scale + rows.width;
  with_type(s.ints[2], [&](auto type) {
    using T = decltype(type);
    const T *x = (const T*)s.buffers[0], *residual = (const T*)s.buffers[3];
    if (s.ints[4]) statistics(rows, x, elements, s.threads, sums, scale, mean, variance);
    scale_and_offset(rows, weight, bias, mean, variance, s.floats[0], scale, offset);
    normalize(rows, x, residual, (T*)s.buffers[4], scale, offset, elements, activation, s.threads);
  });
}

// buffers dy, x, y?, weight, bias, mean, variance, residual?, dx, dweight, dbias, dresidual?, scratch; y where ReLU's
// mask is taken from it, the residual where another activation's input is computed again;
// ints elements, channels, type, activation. Scratch: double[threads][2][width], float[4][width].
// dx = A·dz + B·x + D per channel follows from the gradient in ops/batch-norm.ts.
void batch_norm_gradient(const StepArgs& s) {
  const int64_t elements = s.ints[0];
  const Rows rows(s.ints[1]);
  const int64_t width = rows.width;
  const float *weight = (const float*)s.buffers[3], *bias = (const float*)s.buffers[4];
  const float *mean = (const float*)s.buffers[5], *variance = (const float*)s.buffers[6];
  float *dweight = (float*)s.buffers[9], *dbias = (float*)s.buffers[10];
  double* sums = (double*)s.buffers[12];
  float* scale = (float*)(sums + (int64_t)s.threads * 2 * width);
  float *offset = scale + width, *center = offset + width, *slope = center + width;
  scale_and_offset(rows, weight, bias, mean, variance, s.floats[0], scale, offset);
  for (int64_t c = 0; c < rows.channels; c++) center[c] = mean[c];
  rows.spread(center);
  with_type(s.ints[2], [&](auto type) {
    using T = decltype(type);
    const T *dy = (const T*)s.buffers[0], *x = (const T*)s.buffers[1], *y = (const T*)s.buffers[2];
    const T* residual = (const T*)s.buffers[7];
    T *dx = (T*)s.buffers[8], *dresidual = (T*)s.buffers[11];
    with_activation(s.ints[3], [&](auto act) {
      constexpr bool is_linear = std::is_same_v<decltype(act), Activation<kNone>>;
      constexpr bool is_relu = std::is_same_v<decltype(act), Activation<kRelu>>;
      auto dz_at = [&](int64_t at, int64_t c, int lanes, vf xs) {
        vf g = get(dy, at, lanes);
        if constexpr (is_linear) return g;
        if (is_relu && y) return get(y, at, lanes) > 0 ? g : vf{};
        vf z = xs * load(scale + c) + load(offset + c);
        if (residual) z += get(residual, at, lanes);
        if constexpr (is_relu) return z > 0 ? g : vf{};
        return g * act.derivative(z);
      };
      column_sums(rows, elements, s.threads, sums, [&](int64_t at, int64_t c, int lanes, vf& a, vf& b) {
        vf xs = get(x, at, lanes);
        vf dz = dz_at(at, c, lanes, xs);
        if (dresidual) put(dresidual, at, dz, lanes);
        a += dz;
        b += dz * (xs - load(center + c));
      });
      const double count = (double)(elements / rows.channels);
      for (int64_t c = 0; c < rows.channels; c++) {
        double inverse = 1 / std::sqrt((double)variance[c] + s.floats[0]);
        double sum = sums[c], product = sums[width + c] * inverse;
        dbias[c] = (float)sum;
        dweight[c] = (float)product;
        double a = weight[c] * inverse, b = -a * inverse * product / count;
        slope[c] = (float)b;
        center[c] = (float)(-a * sum / count - b * mean[c]);
      }
      rows.spread(slope);
      rows.spread(center);
      auto apply = [&](auto gradient) {
        for_each_vector(rows, elements, s.threads, [&](int64_t at, int64_t c, int lanes) {
          vf xs = get(x, at, lanes);
          put(dx, at, gradient(at, c, lanes, xs) * load(scale + c) + xs * load(slope + c) + load(center + c), lanes);
        });
      };
      if (dresidual) {
        apply([&](int64_t at, int64_t, int lanes, vf) { return get(dresidual, at, lanes); });
      } else {
        apply(dz_at);
      }
    });
  });
}

// buffers weight, gamma, beta, mean, variance, bias?, folded weight, folded bias; ints channels, values per channel;
// floats epsilon.
void fold_batch_norm(const StepArgs& s) {
  const float *weight = (const float*)s.buffers[0], *gamma = (const float*)s.buffers[1];
  const float *beta = (const float*)s.buffers[2], *mean = (const float*)s.buffers[3];
  const float *variance = (const float*)s.buffers[4], *bias = (const float*)s.buffers[5];
  float *folded = (float*)s.buffers[6], *folded_bias = (float*)s.buffers[7];
  const int64_t per_channel = s.ints[1];
  for (int64_t c = 0; c < s.ints[0]; c++) {
    const double scale = gamma[c] / std::sqrt((double)variance[c] + s.floats[0]);
    for (int64_t i = c * per_channel; i < (c + 1) * per_channel; i++) folded[i] = (float)(weight[i] * scale);
    folded_bias[c] = (float)(beta[c] + ((bias ? bias[c] : 0) - (double)mean[c]) * scale);
  }
}

}  // namespace
