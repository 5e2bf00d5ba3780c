// Batch normalization over rows of channels: forward in two passes (statistics; normalize + residual + activation),
// backward in two (sums, which also make the residual's gradient; the input's gradient). Ioffe and Szegedy 2015. Between
// the passes a small step turns the sums of all threads and slices into tables by channel.
#pragma once
#include <cmath>
#include <initializer_list>
#include <type_traits>

#include "common.h"

namespace {

// What a thread has seen of the batch: how many values a channel, then two numbers by channel.
struct Partial {
  double* count;
  double *first, *second;
  Partial(const PerThread<char>& sums, int64_t channels, int thread) {
    count = (double*)sums.of(thread);
    first = count + kPartialHeader;
    second = first + channels;
  }
};

// A thread's own room: two sums by column in double, and a row of floats.
struct Columns {
  double *first, *second;
  float* shift;
  Columns(const PerThread<char>& columns, const Rows& rows, int thread) {
    first = (double*)columns.of(thread);
    second = first + rows.width;
    shift = (float*)(second + rows.width);
  }
  void clear(const Rows& rows) { memset(first, 0, 16 * rows.width); }
  void fold(const Rows& rows) {
    for (int64_t i = rows.channels; i < rows.width; i++) {
      first[i % rows.channels] += first[i];
      second[i % rows.channels] += second[i];
    }
  }
};

// Adds two functions of the data by column over the wide rows [begin, end), in registers over blocks of rows, then in
// double. term(offset, column, lanes, a, b) adds to the two sums.
template <class Term>
inline void column_sums(const Rows& rows, int64_t begin, int64_t end, const Columns& sums, Term term) {
  const int64_t width = rows.width;
  constexpr int64_t kBlock = 64;  // rows summed in float before they join the double sums: each lies in a page of its own
  for (int64_t block = begin; block < end; block += kBlock) {
    const int64_t stop = block + kBlock < end ? block + kBlock : end;
    int64_t c = 0;
    for (; c + 4 * kLanes <= width; c += 4 * kLanes) {
      vf a[4] = {}, b[4] = {};
      for (int64_t r = block; r < stop; r++) {
        for (int k = 0; k < 4; k++) term(r * width + c + kLanes * k, c + kLanes * k, kLanes, a[k], b[k]);
      }
      for (int k = 0; k < 4; k++) {
        double *first = sums.first + c + kLanes * k, *second = sums.second + c + kLanes * k;
        for (int j = 0; j < kLanes; j++) first[j] += a[k][j], second[j] += b[k][j];
      }
    }
    for (; c < width; c += kLanes) {
      vf a = {}, b = {};
      for (int64_t r = block; r < stop; r++) term(r * width + c, c, kLanes, a, b);
      for (int j = 0; j < kLanes; j++) sums.first[c + j] += a[j], sums.second[c + j] += b[j];
    }
  }
}

// Sums over all values, split over threads: body(columns, thread, values) takes what a thread has summed of so many values
// a channel. `prepare(columns, offset)` runs before each; the values that fill no wide row come last, to thread 0.
template <class Prepare, class Term, class Body>
inline void sums_by_thread(const Rows& rows, int64_t elements, int threads, const PerThread<char>& scratch, Prepare prepare,
                           Term term, Body body) {
  const int64_t wide = elements / rows.width, tail = wide * rows.width;
  parallel(wide, kGrain / rows.width + 1, threads, [&](int64_t begin, int64_t end, int thread) {
    if (begin == end) return;
    Columns columns(scratch, rows, thread);
    columns.clear(rows);
    prepare(columns, begin * rows.width);
    column_sums(rows, begin, end, columns, term(columns));
    columns.fold(rows);
    body(columns, thread, (double)((end - begin) * rows.repeat));
  });
  if (tail == elements) return;
  Columns columns(scratch, rows, 0);
  columns.clear(rows);
  prepare(columns, tail);
  auto add = term(columns);
  for (int64_t at = tail; at < elements; at += kLanes) {
    const int lanes = elements - at < kLanes ? (int)(elements - at) : kLanes;
    vf a = {}, b = {};
    add(at, at - tail, lanes, a, b);
    for (int j = 0; j < lanes; j++) columns.first[at - tail + j] += a[j], columns.second[at - tail + j] += b[j];
  }
  columns.fold(rows);
  body(columns, 0, (double)((elements - tail) / rows.channels));
}

// Adds mean and Σ(x − mean)² to the thread's partial: Chan, Golub and LeVeque 1983. Sums are of x − shift, shift being one of
// the values: without it, a mean far from zero would cancel the variance's digits.
void batch_norm_statistics(const BatchNormStatisticsFields& s) {
  const Rows rows(s.channels);
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    const T* x = (const T*)s.x;
    sums_by_thread(
        rows, s.elements, s.threads, s.columns,
        [&](Columns& columns, int64_t at) {
          for (int64_t c = 0; c < rows.channels; c++) columns.shift[c] = to_float(x[at + c]);
          rows.spread(columns.shift);
        },
        [&](Columns& columns) {
          const float* shift = columns.shift;
          return [x, shift](int64_t at, int64_t c, int lanes, vf& a, vf& b) {
            vf d = get(x, at, lanes) - load(shift + c);
            a += d;
            b += d * d;
          };
        },
        [&](Columns& columns, int thread, double count) {
          Partial partial(s.sums, rows.channels, thread);
          const double before = *partial.count, total = before + count;
          for (int64_t c = 0; c < rows.channels; c++) {
            const double sum = columns.first[c], squares = columns.second[c] - sum * sum / count;
            const double difference = sum / count + columns.shift[c] - partial.first[c];
            partial.first[c] += difference * count / total;
            partial.second[c] += (squares > 0 ? squares : 0) + difference * difference * before * count / total;
          }
          *partial.count = total;
        });
  });
}

// Tables of the forward pass, each spread to rows.width: y = x·scale + offset.
template <class T>
struct Tables {
  T *scale, *offset, *mean;
  Tables(T* buffer, const Rows& rows) {
    scale = buffer;
    offset = scale + rows.width;
    mean = offset + rows.width;
  }
};

void batch_norm_tables(const BatchNormTablesFields& s) {
  const Rows rows(s.channels);
  Tables tables(s.tables, rows);
  for (int64_t c = 0; c < rows.channels; c++) {
    tables.scale[c] = (float)(s.weight[c] / std::sqrt((double)s.variance[c] + s.epsilon));
    tables.offset[c] = (float)(s.bias[c] - (double)s.mean[c] * tables.scale[c]);
    tables.mean[c] = s.mean[c];
  }
  for (float* table : {tables.scale, tables.offset, tables.mean}) rows.spread(table);
}

void batch_norm_merge(const BatchNormMergeFields& s) {
  const int64_t channels = s.channels;
  Partial all(s.sums, channels, 0);
  for (int t = 1; t < s.threads; t++) {
    const Partial other(s.sums, channels, t);
    const double before = *all.count, count = *other.count, total = before + count;
    if (count == 0) continue;
    for (int64_t c = 0; c < channels; c++) {
      const double difference = other.first[c] - all.first[c];
      all.first[c] += difference * count / total;
      all.second[c] += other.second[c] + difference * difference * before * count / total;
    }
    *all.count = total;
  }
  for (int64_t c = 0; c < channels; c++) {
    s.mean[c] = (float)all.first[c];
    s.variance[c] = (float)(all.second[c] / *all.count);
  }
}

// y = activation(x·scale + offset + residual).
void batch_norm_apply(const BatchNormApplyFields& s) {
  const Rows rows(s.channels);
  const Tables tables(s.tables, rows);
  const float *scale = tables.scale, *offset = tables.offset;
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    const T *x = (const T*)s.x, *residual = (const T*)s.residual;
    T* y = (T*)s.y;
    with_activation<T>(s.activation, [&](auto act) {
      if (residual) {
        for_each_vector(rows, s.elements, s.threads, [=](int64_t at, int64_t c, int lanes) {
          vf z = get(x, at, lanes) * load(scale + c) + load(offset + c) + get(residual, at, lanes);
          put(y, at, act.value(z), lanes);
        });
      } else {
        for_each_vector(rows, s.elements, s.threads, [=](int64_t at, int64_t c, int lanes) {
          put(y, at, act.value(get(x, at, lanes) * load(scale + c) + load(offset + c)), lanes);
        });
      }
    });
  });
}

// The gradient by the input of the activation, at one vector. ReLU's mask is taken from y where there is one; another
// activation's input is computed again, with the residual.
template <class T, class Act>
struct ActivationInputGradient {
  const T *dy, *y, *residual;
  const float *scale, *offset;
  vf operator()(int64_t at, int64_t c, int lanes, vf x) const {
    constexpr bool is_linear = std::is_same_v<Act, Activation<kNone, T>>;
    constexpr bool is_relu = std::is_same_v<Act, Activation<kRelu, T>>;
    vf g = get(dy, at, lanes);
    if constexpr (is_linear) return g;
    if (is_relu && y) return get(y, at, lanes) > 0 ? g : vf{};
    vf z = x * load(scale + c) + load(offset + c);
    if (residual) z += get(residual, at, lanes);
    if constexpr (is_relu) return z > 0 ? g : vf{};
    return g * Act::derivative(z);
  }
};

// With dz the gradient by the activation's input, adds Σ dz and Σ dz·(x − mean) to the thread's partial, and writes
// dz where that is asked for.
void batch_norm_gradient_sums(const BatchNormGradientSumsFields& s) {
  const Rows rows(s.channels);
  const Tables tables(s.tables, rows);
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    const T *dy = (const T*)s.dy, *x = (const T*)s.x;
    T* written = (T*)s.dz;
    with_activation<T>(s.activation, [&](auto act) {
      const ActivationInputGradient<T, decltype(act)> gradient{dy, (const T*)s.y, (const T*)s.residual, tables.scale,
                                                               tables.offset};
      const float* mean = tables.mean;
      sums_by_thread(
          rows, s.elements, s.threads, s.columns, [](Columns&, int64_t) {},
          [=](Columns&) {
            return [=](int64_t at, int64_t c, int lanes, vf& a, vf& b) {
              __builtin_prefetch(x + at + 8 * rows.width);
              __builtin_prefetch(dy + at + 8 * rows.width);
              vf xs = get(x, at, lanes);
              vf dz = gradient(at, c, lanes, xs);
              if (written) put(written, at, dz, lanes);
              a += dz;
              b += dz * (xs - load(mean + c));
            };
          },
          [&](Columns& columns, int thread, double) {
            Partial partial(s.sums, rows.channels, thread);
            for (int64_t c = 0; c < rows.channels; c++) {
              partial.first[c] += columns.first[c];
              partial.second[c] += columns.second[c];
            }
          });
    });
  });
}

// dx = scale·dz + slope·x + constant by channel follows from the gradient in ops/batch-norm.ts; the slopes are slope and
// constant, spread.
void batch_norm_gradient_tables(const BatchNormGradientTablesFields& s) {
  const Rows rows(s.channels);
  float *slope = s.slopes, *constant = slope + rows.width;
  const double count = s.values_per_channel ? (double)s.values_per_channel : INFINITY;
  for (int64_t c = 0; c < rows.channels; c++) {
    double sum = 0, product = 0;
    for (int t = 0; t < s.threads; t++) {
      const Partial partial(s.sums, rows.channels, t);
      sum += partial.first[c];
      product += partial.second[c];
    }
    const double inverse = 1 / std::sqrt((double)s.variance[c] + s.epsilon);
    product *= inverse;
    s.dbias[c] = (float)sum;
    s.dweight[c] = (float)product;
    const double a = s.weight[c] * inverse, b = -a * inverse * product / count;
    slope[c] = (float)b;
    constant[c] = (float)(-a * sum / count - b * s.mean[c]);
  }
  rows.spread(slope);
  rows.spread(constant);
}

void batch_norm_gradient_apply(const BatchNormGradientApplyFields& s) {
  const Rows rows(s.channels);
  const Tables tables(s.tables, rows);
  const float *scale = tables.scale, *slope = s.slopes, *constant = slope + rows.width;
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    const T *dy = (const T*)s.dy, *x = (const T*)s.x;
    T* dx = (T*)s.dx;
    with_activation<T>(s.activation, [&](auto act) {
      const ActivationInputGradient<T, decltype(act)> gradient{dy, (const T*)s.y, (const T*)s.residual, tables.scale,
                                                               tables.offset};
      for_each_vector(rows, s.elements, s.threads, [=](int64_t at, int64_t c, int lanes) {
        vf xs = get(x, at, lanes);
        put(dx, at, gradient(at, c, lanes, xs) * load(scale + c) + xs * load(slope + c) + load(constant + c), lanes);
      });
    });
  });
}

}  // namespace
