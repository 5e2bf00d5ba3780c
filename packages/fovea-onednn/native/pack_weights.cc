#include "pack_weights.h"

#include "kernels/exchange.h"
#include "parallel.h"
#include "simd.h"

namespace fovea {
namespace {

constexpr int kLength = 16;  // of a tile's side

// Sixteen numbers of a row, then those of another, in bfloat16.
inline wu halves(const float* row, const float* other) {
  return (wu)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(other), _mm512_loadu_ps(row));
}

// The rows of a tile are outputs. Each step of `pair` holds two inputs of all sixteen.
inline void pack_tile(const float* tile, int64_t pair, uint16_t* to) {
  wu rows[8];  // eight pairs of one output, then eight of the one eight further
  for (int i = 0; i < 8; i++) rows[i] = halves(tile + i * kLength, tile + (i + 8) * kLength);
  exchange<4, 8>(rows);
  exchange<2, 8>(rows);
  exchange<1, 8>(rows);
  for (int i = 0; i < 8; i++) memcpy(to + i * pair, &rows[i], sizeof(wu));
}

// The same where they are inputs.
inline void pack_turned_tile(const float* tile, int64_t pair, uint16_t* to) {
  const auto bits = [](const float* row) {
    return (wu)_mm512_maskz_cvtepu16_epi32(0xffff, (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(row)));
  };
  for (int i = 0; i < 8; i++) {
    const wu both = bits(tile + 2 * i * kLength) | bits(tile + (2 * i + 1) * kLength) << 16;
    memcpy(to + i * pair, &both, sizeof both);
  }
}

}  // namespace

void pack_weights(const float* from, int64_t outputs, int64_t inputs, int64_t taps, const std::vector<PackedTap>& wanted, bool turned,
                  int threads, uint16_t* to) {
  const int64_t columns = inputs / kLength;
  parallel(outputs / kLength * columns, 4, threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t output = i / columns * kLength, input = i % columns * kLength;
      for (const auto& [weights, tap, offset] : wanted) {
        const float* tile = from + (i * taps + tap) * kLength * kLength;
        if (turned) pack_turned_tile(tile, weights.next_pair, to + offset + weights.at(input, output));
        else pack_tile(tile, weights.next_pair, to + offset + weights.at(output, input));
      }
    }
  });
}

}  // namespace fovea
