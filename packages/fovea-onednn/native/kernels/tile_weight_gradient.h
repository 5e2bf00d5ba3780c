// The weight gradient of convolutions in bfloat16, on matrix tiles (AMX): one instruction multiplies 16 outputs by 16 inputs
// over 32 pixels (TDPBF16PS). oneDNN reaches a quarter of its own forward speed in this direction.
//
// A block of pixels is packed once for all taps. x lies in planes, one for each pixel that a stride leaves between two windows,
// with the padding's zeros among its pixels, so that a tap is no more than a distance: what it sees of pixel i of the output
// is number i + distance of its plane. dy lies in the same order, with zeros where a row is longer than the output's, and
// transposed. As with VDPBF16PS, the same pixel of two images makes a pair.
//
// Few channels would leave most of a tile empty. The pixels that a row of a window sees lie side by side in memory: there they count as
// channels of one pixel, and only rows as taps (`row_taps`). What fills the rest of the last tile is other pixels, whose sums nobody reads.
#pragma once
#include <type_traits>

#include "pairs.h"

namespace {

constexpr int kTileNumbers = kTileLanes * kTileLanes;  // of a tile of sums, and pairs of one of x or dy
constexpr int kMostSteps = 24;                         // of 16 pairs at a time: more would come from no near cache

template <int I, int N, class Body>
inline void each(Body body) {
  if constexpr (I < N) {
    body(std::integral_constant<int, I>{});
    each<I + 1, N>(body);
  }
}

#if defined(__AMX_BF16__)

// A thread has tile registers from its configuration on, each of 16 rows of 64 bytes.
struct Tiles {
  Tiles() {
    alignas(64) struct {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } shapes;
    asm volatile("ldtilecfg %0" ::"m"(shapes));
  }
  ~Tiles() { asm volatile("tilerelease" ::: "memory"); }
};

template <int T>
inline void load_tile(const void* from) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"((int64_t)64), "i"(T) : "memory");
}
template <int T>
inline void store_tile(void* to) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"((int64_t)64), "i"(T) : "memory");
}
template <int T>
inline void clear_tile() {
  asm volatile("tilezero %%tmm%c0" ::"i"(T));
}
template <int Sum, int A, int B>
inline void multiply_tile() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(Sum), "i"(A), "i"(B));
}

// Adds the products of so many tiles of dy and of x, over so many steps of 16 pairs, to the sums, or to zeros.
template <int Outs, int Ins>
inline void multiply_tiles(const uint32_t* dy, int64_t dy_tile, const uint32_t* const* x, int64_t steps, bool first,
                           float* sums, int64_t sums_out) {
  constexpr int kDy = Outs * Ins, kX = kDy + Outs;
  static_assert(kX + 1 < 8, "the registers of a thread, two of them for x by turns");
  each<0, kDy>([&](auto c) {
    if (first) clear_tile<c>();
    else load_tile<c>(sums + c / Ins * sums_out + c % Ins * kTileNumbers);
  });
  for (int64_t at = 0; at < steps * kTileNumbers; at += kTileNumbers) {
    each<0, Outs>([&](auto out) { load_tile<kDy + out>(dy + out * dy_tile + at); });
    each<0, Ins>([&](auto in) {
      load_tile<kX + in % 2>(x[in] + at);
      each<0, Outs>([&](auto out) { multiply_tile<out * Ins + in, kDy + out, kX + in % 2>(); });
    });
  }
  each<0, kDy>([&](auto c) { store_tile<c>(sums + c / Ins * sums_out + c % Ins * kTileNumbers); });
}

#else

struct Tiles {
  Tiles() {}
};

template <int Outs, int Ins>
inline void multiply_tiles(const uint32_t* dy, int64_t dy_tile, const uint32_t* const* x, int64_t steps, bool first,
                           float* sums, int64_t sums_out) {
  for (int c = 0; c < Outs * Ins; c++) {
    const uint32_t *a = dy + c / Ins * dy_tile, *b = x[c % Ins];
    float* to = sums + c / Ins * sums_out + c % Ins * kTileNumbers;
    wf sum[kTileLanes];
    for (int i = 0; i < kTileLanes; i++) sum[i] = first ? wf{} : load_wide<wf>(to + i * kTileLanes);
    for (int64_t k = 0; k < steps * kTileLanes; k++) {
      const wu pairs = load_wide<wu>(b + k * kTileLanes);
      const uint32_t* column = a + k / kTileLanes * kTileNumbers + k % kTileLanes;
      for (int i = 0; i < kTileLanes; i++) sum[i] = add_products(sum[i], wu{} + column[i * kTileLanes], pairs);
    }
    for (int i = 0; i < kTileLanes; i++) memcpy(to + i * kTileLanes, &sum[i], sizeof(wf));
  }
}

#endif

// Blocks of so many pairs of images and rows of the output: src/operators/tile-weight-gradient.ts chooses them, and the gap.
struct TileBlocks {
  Window p;
  bool row_taps;
  int64_t inputs, kw;  // of a tap, and taps in a row of the window
  int64_t outputs, couples, rows, pitch, out_tiles, in_tiles, taps;
  int64_t planes_y, planes_x, reach_y, reach_x;  // how many planes; how far a window reaches in one beyond its first pixel
  int64_t steps, plane;                          // of 16 pairs each; pairs in a plane
  template <class Fields>
  explicit TileBlocks(const Fields& s)
      : p(s), row_taps(s.row_taps), inputs(tap_inputs(p, row_taps)), kw(row_taps ? 1 : p.kw), outputs(s.outputs),
        couples(s.block_pairs), rows(s.block_rows), pitch(p.ow + (row_taps ? 0 : s.gap)), taps(p.kh * kw) {
    out_tiles = (outputs + kTileLanes - 1) / kTileLanes, in_tiles = (inputs + kTileLanes - 1) / kTileLanes;
    planes_y = at_most(p.sh, p.kh), planes_x = at_most(p.sw, kw);
    reach_y = (p.kh - 1) / p.sh, reach_x = (kw - 1) / p.sw;
    steps = (rows * pitch * couples + kTileLanes - 1) / kTileLanes;
    plane = steps * kTileLanes + (reach_y * pitch + reach_x) * couples;
  }
  int64_t per_image() const { return (p.oh + rows - 1) / rows; }
  int64_t count() const { return ((p.n + 1) / 2 + couples - 1) / couples * per_image(); }
  int64_t image_size() const { return p.h * p.w * p.c; }
  int64_t packed_x() const { return in_tiles * planes_y * planes_x * plane * kTileLanes; }
};

inline void clear_pairs(uint32_t* to, int64_t count) { memset(to, 0, at_least(count, 0) * kTileLanes * sizeof(uint32_t)); }

// A row of a plane or of dy: of each pair of images `count` pixels, the first of which is at `from` of the first image and as the
// row's `first`; all else is zero.
inline void pack_tile_row(const TileBlocks& b, const bf16* from, int64_t image, int64_t pixel, int64_t channels, int64_t c,
                          int64_t images, int64_t first, int64_t count, uint32_t* to) {
  clear_pairs(to, first * b.couples);
  for (int64_t i = 0; i < b.couples; i++) {
    uint32_t* at = to + (first * b.couples + i) * kTileLanes;
    const bf16* row = from + 2 * i * image;
    if (2 * i < images) {
      pack_row(row, 2 * i + 1 < images ? row + image : nullptr, count, pixel, channels, c, at, b.couples * kTileLanes);
    } else {
      for (int64_t j = 0; j < count; j++) clear_pairs(at + j * b.couples * kTileLanes, 1);
    }
  }
  clear_pairs(to + (first + count) * b.couples * kTileLanes, (b.pitch - first - count) * b.couples);
}

// The same where taps are rows: of each pair of images, a tile of what each window of a row sees, from number `first` on. `line` is room for
// a row of x.
inline void pack_window_row(const TileBlocks& b, const bf16* from, int64_t first, int64_t images, uint32_t* line, uint32_t* to) {
  const Window& p = b.p;
  for (int64_t i = 0; i < b.couples; i++) {
    const bf16 *row = from + 2 * i * b.image_size(), *other = 2 * i + 1 < images ? row + b.image_size() : nullptr;
    if (2 * i < images) pack_window_line(p, row, other, line);
    else memset(line, 0, window_line(p) * sizeof(uint32_t));
    for (int64_t j = 0; j < p.ow; j++) {
      memcpy(to + (j * b.couples + i) * kTileLanes, line + j * p.sw * p.c + first, kTileLanes * sizeof(uint32_t));
    }
  }
}

// The planes of x that the rows [oy, oy + b.rows) of the output see, of the images from x on.
inline void pack_tile_inputs(const TileBlocks& b, const bf16* x, int64_t images, int64_t oy, uint32_t* to, uint32_t* line) {
  const Window& p = b.p;
  for (int64_t in = 0; in < b.in_tiles; in++) {
    for (int64_t ky = 0; ky < b.planes_y; ky++) {
      for (int64_t kx = 0; kx < b.planes_x; kx++, to += b.plane * kTileLanes) {
        const Range columns(0, b.pitch, p.sw, kx - p.left, p.w);
        const int64_t rows = b.rows + b.reach_y, row_vectors = b.pitch * b.couples;
        for (int64_t r = 0; r < rows; r++) {
          const int64_t iy = (oy + r) * p.sh + ky - p.top;
          const bf16* from = x + iy * p.w * p.c;
          uint32_t* row = to + r * row_vectors * kTileLanes;
          if (iy < 0 || iy >= p.h || (!b.row_taps && columns.first == columns.end)) {
            clear_pairs(row, row_vectors);
          } else if (b.row_taps) {
            pack_window_row(b, from, in * kTileLanes, images, line, row);
          } else {
            pack_tile_row(b, from + (columns.first * p.sw + kx - p.left) * p.c, b.image_size(), p.sw * p.c, p.c, in * kTileLanes, images,
                          columns.first, columns.end - columns.first, row);
          }
        }
        clear_pairs(to + rows * row_vectors * kTileLanes, b.plane - rows * row_vectors);
      }
    }
  }
}

// Rows of 16 pairs become columns.
inline void transpose_tile(const uint32_t* from, uint32_t* to) {
  wu rows[kTileLanes];
  for (int i = 0; i < kTileLanes; i++) rows[i] = load_wide<wu>(from + i * kTileLanes);
  exchange<8, kTileLanes>(rows);
  exchange<4, kTileLanes>(rows);
  exchange<2, kTileLanes>(rows);
  exchange<1, kTileLanes>(rows);
  for (int i = 0; i < kTileLanes; i++) memcpy(to + i * kTileLanes, &rows[i], sizeof(wu));
}

// So many tiles of outputs from `out` on, of the rows of dy from oy on, of the images from dy on. `rows` is room for a tile.
inline void pack_tile_outputs(const TileBlocks& b, const bf16* dy, int64_t images, int64_t oy, int64_t out, int tiles,
                              uint32_t* to, uint32_t* rows) {
  const Window& p = b.p;
  const int64_t row_pairs = b.pitch * b.couples, pairs = at_most(b.rows, p.oh - oy) * row_pairs;
  for (int64_t end = out + tiles; out < end; out++, to += b.steps * kTileNumbers) {
    for (int64_t at = 0; at < pairs; at += row_pairs) {
      pack_tile_row(b, dy + (oy + at / row_pairs) * p.ow * b.outputs, p.oh * p.ow * b.outputs, b.outputs, b.outputs,
                    out * kTileLanes, images, 0, p.ow, rows + at * kTileLanes);
    }
    clear_pairs(rows + pairs * kTileLanes, b.steps * kTileLanes - pairs);
    for (int64_t i = 0; i < b.steps; i++) transpose_tile(rows + i * kTileNumbers, to + i * kTileNumbers);
  }
}

// The products of one or two tiles of outputs with all inputs and taps. Sums lie as in oneDNN's OIhw16o16i: by tiles of outputs,
// tiles of inputs, taps.
template <int Outs>
inline void multiply_outputs(const TileBlocks& b, const uint32_t* x, const uint32_t* dy, bool first, float* sums) {
  constexpr int kMost = Outs == 1 ? 5 : 2;  // tiles of x at a time
  const Window& p = b.p;
  const int64_t dy_tile = b.steps * kTileNumbers, products = b.in_tiles * b.taps;
  const int64_t parts = (b.steps + kMostSteps - 1) / kMostSteps;
  for (int64_t part = 0; part < parts; part++) {
    const int64_t step = b.steps * part / parts, steps = b.steps * (part + 1) / parts - step;
    for (int64_t i = 0; i < products; i += kMost) {
      const int count = (int)at_most(kMost, products - i);
      const uint32_t* inputs[kMost];
      for (int j = 0; j < count; j++) {
        const int64_t in = (i + j) / b.taps, tap = (i + j) % b.taps, ky = tap / b.kw, kx = tap % b.kw;
        const int64_t plane = (in * b.planes_y + ky % p.sh) * b.planes_x + kx % p.sw;
        const int64_t distance = (ky / p.sh * b.pitch + kx / p.sw) * b.couples;
        inputs[j] = x + (plane * b.plane + distance + step * kTileLanes) * kTileLanes;
      }
      each<1, kMost + 1>([&](auto ins) {
        if (ins != count) return;
        multiply_tiles<Outs, ins>(dy + step * kTileNumbers, dy_tile, inputs, steps, first && part == 0,
                                  sums + i * kTileNumbers, products * kTileNumbers);
      });
    }
  }
}

// The products of block i with the outputs from tile `out` to `end`, two tiles at a time.
inline void multiply_block(const TileBlocks& b, const bf16* x, const bf16* dy, int64_t i, int64_t out, int64_t end, bool first,
                           uint32_t* packed, float* sums) {
  const Window& p = b.p;
  const int64_t image = i / b.per_image() * 2 * b.couples, images = p.n - image, oy = i % b.per_image() * b.rows;
  uint32_t *outputs = packed + b.packed_x(), *rows = outputs + 2 * b.steps * kTileNumbers;
  pack_tile_inputs(b, x + image * b.image_size(), images, oy, packed, rows + b.steps * kTileNumbers);
  dy += image * p.oh * p.ow * b.outputs;
  for (; out < end; out += 2) {
    float* to = sums + out * b.in_tiles * b.taps * kTileNumbers;
    pack_tile_outputs(b, dy, images, oy, out, out + 1 < end ? 2 : 1, outputs, rows);
    if (out + 1 < end) multiply_outputs<2>(b, packed, outputs, first, to);
    else multiply_outputs<1>(b, packed, outputs, first, to);
  }
}

// Adds to the sums of each thread what its blocks give.
void tile_weight_gradient(const TileWeightGradientFields& s) {
  const TileBlocks b(s);
  parallel(b.count(), 1, s.threads, [&](int64_t begin, int64_t end, int thread) {
    const Tiles tiles;
    for (int64_t i = begin; i < end; i++) {
      multiply_block(b, (const bf16*)s.x, (const bf16*)s.dy, i, 0, b.out_tiles, false, (uint32_t*)s.packed.of(thread),
                     s.sums.of(thread));
    }
  });
}

// The same where weights are larger than images: each thread has outputs of its own, so that dw is written once.
void tile_weight_gradient_by_outputs(const TileWeightGradientByOutputsFields& s) {
  const TileBlocks b(s);
  const int64_t couples = (b.out_tiles + 1) / 2;
  parallel(couples, 1, s.threads, [&](int64_t begin, int64_t end, int thread) {
    const Tiles tiles;
    for (int64_t i = 0; i < b.count(); i++) {
      multiply_block(b, (const bf16*)s.x, (const bf16*)s.dy, i, 2 * begin, at_most(2 * end, b.out_tiles), i == 0,
                     (uint32_t*)s.packed.of(thread), s.dw);
    }
  });
}

}  // namespace
