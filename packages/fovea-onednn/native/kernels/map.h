// Elementwise functions of up to three tensors that are broadcast to one shape. The result is computed in tiles that fit
// the first-level cache. What a tensor gives to a tile is read where it lies, if it lies there as the result does, or is
// gathered first, once for all tiles in a row that read the same.
#pragma once
#include "common.h"

namespace {

constexpr int64_t kTile = 1024;  // elements

// A tile: all of the innermost axes that fit together, and some rows of the next axis outwards, which is cut into chunks.
template <int N>
struct Tiling {
  int64_t rank;
  List dims;
  List strides[N];                // of each input
  int64_t axis;                   // the innermost axes of a tile begin here
  int64_t block = 1;              // elements of these
  int64_t length = 1, rows = 1;   // of the axis before, and how much of it a tile has
  int64_t tiles = 1;

  template <class... Lists>
  explicit Tiling(const List& dims, const Lists&... strides) : rank(dims.size), dims(dims), strides{strides...}, axis(rank) {
    while (axis > 0 && block * dims[axis - 1] <= kTile) block *= dims[--axis];
    if (axis == 0) return;
    length = dims[axis - 1];
    rows = kTile / block;
    tiles = (length + rows - 1) / rows;
    for (int64_t d = 0; d < axis - 1; d++) tiles *= dims[d];
  }
  int64_t stride(int input, int64_t d) const { return strides[input][d]; }

  // Where a tile begins in the result and in the inputs, and how many elements it has.
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

  template <int N>
  void prepare(const Tiling<N>& t, int input) {
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
template <class T, int N, class Y, class Function>
inline void map_tiles(const void* const (&inputs)[N], Y* y, const Tiling<N>& t, int threads, Function f) {
  Gather gathers[N];
  for (int i = 0; i < N; i++) gathers[i].prepare(t, i);
  parallel(t.tiles, kGrain / (t.rows * t.block) + 1, threads, [&](int64_t begin, int64_t end, int) {
    alignas(64) T tiles[N][kTile];
    const T* gathered[N] = {};
    for (int64_t tile = begin; tile < end; tile++) {
      int64_t at, from[N];
      const int64_t count = t.locate(tile, at, from);
      const T* x[N];
      for (int i = 0; i < N; i++) {
        x[i] = (const T*)inputs[i] + from[i];
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

void scale(const ScaleFields& s) {
  const Tiling<1> t(s.dims, s.strides);
  const float factor = (float)s.factor;
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    map_tiles<T>({s.x}, (T*)s.y, t, s.threads, [factor](const vf* x) { return x[0] * factor; });
  });
}

// kEqual gives 1 or 0.
void binary(const BinaryFields& s) {
  const Tiling<2> t(s.dims, s.a_strides, s.b_strides);
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    const auto tiles = [&](auto f) { map_tiles<T>({s.a, s.b}, (T*)s.y, t, s.threads, f); };
    switch (s.operation) {
      case kAdd: return tiles([](const vf* x) { return x[0] + x[1]; });
      case kMultiply: return tiles([](const vf* x) { return x[0] * x[1]; });
      case kDivide: return tiles([](const vf* x) { return x[0] / x[1]; });
      default: return tiles([](const vf* x) { return x[0] == x[1] ? splat(1) : vf{}; });
    }
  });
}

void multiply_add(const MultiplyAddFields& s) {
  const Tiling<3> t(s.dims, s.a_strides, s.b_strides, s.c_strides);
  with_type(s.type, [&](auto type) {
    using T = decltype(type);
    map_tiles<T>({s.a, s.b, s.c}, (T*)s.y, t, s.threads, [](const vf* x) { return x[0] * x[1] + x[2]; });
  });
}

}  // namespace
