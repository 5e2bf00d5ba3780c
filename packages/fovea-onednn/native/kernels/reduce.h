// Sums, means and maxima over one axis: [outer, count, columns] → [outer, columns]. Other axes are brought to this form by
// fovea/src/engines/planned/operators/reduction.ts. Numbers are added up in float32 over 128 rows, then in double; where there are too few
// results for the threads, these share the rows, and what each has is added up in their order.
#pragma once
#include <limits>

#include "common.h"

namespace {

struct Sum {
  static constexpr float first = 0;
  static vf join(vf a, vf b) { return a + b; }
  static double join(double a, double b) { return a + b; }
};
struct Maximum {
  static constexpr float first = -std::numeric_limits<float>::infinity();
  static vf join(vf a, vf b) { return select((b > a) | (b != b), b, a); }  // what is no number stays
  static double join(double a, double b) { return b > a || b != b ? b : a; }
};

constexpr int64_t kBlockRows = 128;  // rows added up in float

// What is reduced: x, or x·factor.
template <class T>
struct Terms {
  const T *x, *factor;
  int64_t size;
  // A vector from `at` on, which may go beyond a row's end, into values that nobody reads; but not beyond the tensor's.
  vf operator()(int64_t at) const {
    const int lanes = size - at < kLanes ? (int)(size - at) : kLanes;
    const vf v = get(x, at, lanes);
    return factor ? v * get(factor, at, lanes) : v;
  }
  double one(int64_t at) const { return factor ? to_float(x[at]) * to_float(factor[at]) : to_float(x[at]); }
};

// V vectors of `rows` rows, in registers.
template <class Op, int V, class T>
inline void join_rows(const Terms<T>& terms, int64_t at, int64_t rows, int64_t stride, float* block) {
  vf sums[V];
  for (int v = 0; v < V; v++) sums[v] = splat(Op::first);
  for (int64_t r = 0; r < rows; r++) {
    for (int v = 0; v < V; v++) sums[v] = Op::join(sums[v], terms(at + r * stride + v * kLanes));
  }
  for (int v = 0; v < V; v++) store(block + v * kLanes, sums[v]);
}

// `width` columns of at most kBlockRows rows, of which each begins `stride` after the one before.
template <class Op, class T>
inline void join_block(const Terms<T>& terms, int64_t at, int64_t rows, int64_t stride, int64_t width, float* block) {
  switch ((width + kLanes - 1) / kLanes) {
    case 1: return join_rows<Op, 1>(terms, at, rows, stride, block);
    case 2: return join_rows<Op, 2>(terms, at, rows, stride, block);
    case 3: return join_rows<Op, 3>(terms, at, rows, stride, block);
    case 4: return join_rows<Op, 4>(terms, at, rows, stride, block);
  }
  // Row by row, as memory lies, the sums in the first-level cache.
  for (int64_t c = 0; c < width; c += kLanes) store(block + c, terms(at + c));
  for (int64_t r = 1; r < rows; r++) {
    for (int64_t c = 0; c < width; c += kLanes) store(block + c, Op::join(load(block + c), terms(at + r * stride + c)));
  }
}

// Joins `rows` rows of `width` columns to the totals. Few columns without a gap are taken as rows that fill vectors.
template <class Op, class T>
inline void join_to(double* totals, const Terms<T>& terms, int64_t at, int64_t rows, int64_t stride, int64_t width) {
  alignas(64) float block[kReduceColumns + kLanes];
  if (width == stride && width < 64) {
    const Rows spread(width);
    const int64_t wide = rows / spread.repeat;
    for (int64_t begin = 0; begin < wide; begin += kBlockRows) {
      const int64_t count = wide - begin < kBlockRows ? wide - begin : kBlockRows;
      for (int64_t c = 0; c < spread.width; c += 4 * kLanes) {
        const int64_t columns = spread.width - c < 4 * kLanes ? spread.width - c : 4 * kLanes;
        join_block<Op>(terms, at + begin * spread.width + c, count, spread.width, columns, block);
        for (int64_t i = 0; i < columns; i++) totals[(c + i) % width] = Op::join(totals[(c + i) % width], (double)block[i]);
      }
    }
    at += wide * spread.width;
    rows -= wide * spread.repeat;
  }
  for (int64_t begin = 0; begin < rows; begin += kBlockRows) {
    const int64_t count = rows - begin < kBlockRows ? rows - begin : kBlockRows;
    join_block<Op>(terms, at + begin * stride, count, stride, width, block);
    for (int64_t c = 0; c < width; c++) totals[c] = Op::join(totals[c], (double)block[c]);
  }
}

// The result of at most kBlockRows rows at once, in float; of a single column along its vectors.
template <class Op, class T>
inline void join_few(float* result, const Terms<T>& terms, int64_t at, int64_t rows, int64_t columns) {
  if (columns > 1) return join_block<Op>(terms, at, rows, columns, columns, result);
  double total = Op::first;
  int64_t r = 0;
  if (rows >= 2 * kLanes) {
    vf sums = terms(at);
    for (r = kLanes; r + kLanes <= rows; r += kLanes) sums = Op::join(sums, terms(at + r));
    for (int j = 0; j < kLanes; j++) total = Op::join(total, (double)sums[j]);
  }
  for (; r < rows; r++) total = Op::join(total, terms.one(at + r));
  *result = (float)total;
}

template <class Op, class T>
inline void reduce_columns(const ReduceFields& s) {
  const int64_t outer = s.outer, count = s.count, columns = s.columns;
  const Terms<T> terms{(const T*)s.x, (const T*)s.factor, outer * count * columns};
  const double scale = s.scale;
  const int64_t width = columns < kReduceColumns ? columns : kReduceColumns, chunks = (columns + width - 1) / width;
  const auto add = [&](int64_t unit, int64_t begin, int64_t end, double* totals) {
    const int64_t c = unit % chunks * width;
    const int64_t at = (unit / chunks * count + begin) * columns + c;
    join_to<Op>(totals, terms, at, end - begin, columns, columns - c < width ? columns - c : width);
  };
  const auto finish = [&](int64_t unit, const double* totals) {
    const int64_t c = unit % chunks * width, at = unit / chunks * columns + c;
    const int64_t size = columns - c < width ? columns - c : width;
    with_type(s.into, [&](auto type) {
      auto* y = (decltype(type)*)s.y;
      for (int64_t i = 0; i < size; i++) from_float(y + at + i, (float)(totals[i] * scale));
    });
  };
  if (count <= kBlockRows && chunks == 1) {
    with_type(s.into, [&](auto type) {
      auto* y = (decltype(type)*)s.y;
      const float factor = (float)scale;
      parallel(outer, kGrain / (count * columns) + 1, s.threads, [&](int64_t begin, int64_t end, int) {
        alignas(64) float block[kReduceColumns + kLanes];
        for (int64_t o = begin; o < end; o++) {
          join_few<Op>(block, terms, o * count * columns, count, columns);
          for (int64_t c = 0; c < columns; c++) from_float(y + o * columns + c, block[c] * factor);
        }
      });
    });
    return;
  }
  const int64_t units = outer * chunks;
  const auto begin_at = [&](double* totals) {
    for (int64_t c = 0; c < width; c++) totals[c] = Op::first;
  };
  if (units >= 8 * s.threads || s.threads == 1 || count * columns < 2 * kGrain) {
    parallel(units, kGrain / (count * width) + 1, s.threads, [&](int64_t begin, int64_t end, int) {
      double totals[kReduceColumns];
      for (int64_t unit = begin; unit < end; unit++) {
        begin_at(totals);
        add(unit, 0, count, totals);
        finish(unit, totals);
      }
    });
    return;
  }
  double* all = s.totals.of(0);
  for (int64_t unit = 0; unit < units; unit++) {
    for (int t = 0; t < s.threads; t++) begin_at(s.totals.of(t));
    parallel(count, kGrain / width + 1, s.threads,
             [&](int64_t begin, int64_t end, int thread) { add(unit, begin, end, s.totals.of(thread)); });
    for (int t = 1; t < s.threads; t++) {
      const double* own = s.totals.of(t);
      for (int64_t c = 0; c < width; c++) all[c] = Op::join(all[c], own[c]);
    }
    finish(unit, all);
  }
}

// With a factor, of the products.
void reduce(const ReduceFields& s) {
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    return s.operation == kMaximum ? reduce_columns<Maximum, T>(s) : reduce_columns<Sum, T>(s);
  });
}

}  // namespace
