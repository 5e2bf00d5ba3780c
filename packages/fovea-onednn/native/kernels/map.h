// Elementwise functions of up to three tensors that are broadcast to one shape. The result is computed in tiles that fit
// the first-level cache. What a tensor gives to a tile is read where it lies, if it lies there as the result does, or is
// gathered first, once for all tiles in a row that read the same.
#pragma once
#include "common.h"

namespace {

constexpr int64_t kTile = 1024;  // elements
constexpr int kMostInputs = 3;

enum MapOperation : int64_t { kAdd = 0, kMultiply, kMultiplyAdd, kScale, kEqual, kDivide };

// A tile: all of the innermost axes that fit together, and some rows of the next axis outwards, which is cut into chunks.
struct Tiling {
  int64_t rank;
  const int64_t *dims, *strides;  // strides of each input
  int64_t axis;                   // the innermost axes of a tile begin here
  int64_t block = 1;              // elements of these
  int64_t length = 1, rows = 1;   // of the axis before, and how much of it a tile has
  int64_t tiles = 1;

  // ints rank, dims, strides of each input.
  explicit Tiling(const int64_t* ints) : rank(ints[0]), dims(ints + 1), strides(dims + rank), axis(rank) {
    while (axis > 0 && block * dims[axis - 1] <= kTile) block *= dims[--axis];
    if (axis == 0) return;
    length = dims[axis - 1];
    rows = kTile / block;
    tiles = (length + rows - 1) / rows;
    for (int64_t d = 0; d < axis - 1; d++) tiles *= dims[d];
  }
  int64_t stride(int input, int64_t d) const { return strides[input * rank + d]; }

  // Where a tile begins in the result and in the inputs, and how many elements it has.
  template <int N>
  int64_t locate(int64_t tile, int64_t& at, int64_t (&from)[N]) const {
    const int64_t chunks = (length + rows - 1) / rows, chunk = tile % chunks;
    int64_t rest = tile / chunks;
    at = (rest * length + chunk * rows) * block;
    for (int i = 0; i < N; i++) from[i] = axis == 0 ? 0 : chunk * rows * stride(i, axis - 1);
    for (int64_t d = axis - 2; d >= 0; d--) {
      const int64_t index = rest % dims[d];
      rest /= dims[d];
      for (int i = 0; i < N; i++) from[i] += index * stride(i, d);
    }
    return (length - chunk * rows < rows ? length - chunk * rows : rows) * block;
  }
};

// Where the elements of a tile lie in an input, counted from the first.
struct Gather {
  int64_t run = 1;  // so many lie side by side
  bool direct;      // all of them do
  int64_t offsets[kTile];

  void prepare(const Tiling& t, int input) {
    int64_t size = 1;
    bool dense = true;
    const auto widen = [&](int64_t count, int64_t stride) {
      dense = dense && (stride == size || count == 1);
      if (dense) run = size * count;
      for (int64_t i = 1; i < count; i++) {
        for (int64_t j = 0; j < size; j++) offsets[i * size + j] = offsets[j] + i * stride;
      }
      size *= count;
    };
    offsets[0] = 0;
    for (int64_t d = t.rank - 1; d >= t.axis; d--) widen(t.dims[d], t.stride(input, d));
    if (t.axis > 0) widen(t.rows, t.stride(input, t.axis - 1));
    direct = dense;
  }
  template <class T>
  void take(const T* from, int64_t count, T* tile) const {
    if (run == 1) {
      for (int64_t i = 0; i < count; i++) tile[i] = from[offsets[i]];
    } else {
      for (int64_t i = 0; i < count; i += run) memcpy(tile + i, from + offsets[i], (size_t)run * sizeof(T));
    }
  }
};

// y = f(inputs), where f takes a vector of each.
template <class T, int N, class Function>
inline void map_tiles(const StepArgs& s, const Tiling& t, Function f) {
  T* y = (T*)s.buffers[N];
  Gather gathers[N];
  for (int i = 0; i < N; i++) gathers[i].prepare(t, i);
  parallel(t.tiles, kGrain / (t.rows * t.block) + 1, s.threads, [&](int64_t begin, int64_t end, int) {
    alignas(64) T tiles[N][kTile];
    const T* gathered[N] = {};
    for (int64_t tile = begin; tile < end; tile++) {
      int64_t at, from[N];
      const int64_t count = t.locate(tile, at, from);
      const T* x[N];
      for (int i = 0; i < N; i++) {
        x[i] = (const T*)s.buffers[i] + from[i];
        if (gathers[i].direct) continue;
        // A shorter tile, the last of its axis, is the beginning of what a longer one has.
        if (gathered[i] != x[i]) gathers[i].take(x[i], count, tiles[i]);
        gathered[i] = x[i];
        x[i] = tiles[i];
      }
      for (int64_t c = 0; c < count; c += kLanes) {
        const int lanes = count - c < kLanes ? (int)(count - c) : kLanes;
        vf values[N];
        for (int i = 0; i < N; i++) values[i] = get(x[i], c, lanes);
        put(y, at + c, f(values), lanes);
      }
    }
  });
}

// buffers of the inputs (one for kScale, three for kMultiplyAdd, else two), y; ints operation, type, rank, dims of y, for
// each input its strides (0: broadcast); floats scale. kEqual gives 1 or 0.
void map(const StepArgs& s) {
  const Tiling t(s.ints + 2);
  with_type(s.ints[1], [&](auto type) {
    using T = decltype(type);
    const float scale = (float)s.floats[0];
    switch (s.ints[0]) {
      case kAdd: return map_tiles<T, 2>(s, t, [](const vf* x) { return x[0] + x[1]; });
      case kMultiply: return map_tiles<T, 2>(s, t, [](const vf* x) { return x[0] * x[1]; });
      case kMultiplyAdd: return map_tiles<T, 3>(s, t, [](const vf* x) { return x[0] * x[1] + x[2]; });
      case kScale: return map_tiles<T, 1>(s, t, [scale](const vf* x) { return x[0] * scale; });
      case kEqual: return map_tiles<T, 2>(s, t, [](const vf* x) { return x[0] == x[1] ? splat(1) : vf{}; });
      case kDivide: return map_tiles<T, 2>(s, t, [](const vf* x) { return x[0] / x[1]; });
      default: throw std::invalid_argument("map: unknown operation");
    }
  });
}

}  // namespace
