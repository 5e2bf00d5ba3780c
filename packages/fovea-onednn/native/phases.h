// The gradient of a convolution by its input as convolutions of dy, along one axis. Pixels of dx that lie a stride apart, a phase, see
// the same taps of the window, the last one first (Dumoulin and Visin 2016, arXiv 1603.07285, section 4.5).
#pragma once
#include <cstdint>
#include <vector>

namespace fovea::onednn {

struct Phase {
  int64_t first, pixels;  // of dx: the first pixel, and how many there are
  int64_t tap, taps;      // the first tap that they see, and how many; with none, their gradient is zero
  int64_t apart;          // the stride, between their pixels and taps
  int64_t before, after;  // the padding of dy, negative where it is cut off
};

inline std::vector<Phase> phases(int64_t size, int64_t out, int64_t kernel, int64_t stride, int64_t padding) {
  std::vector<Phase> all;
  for (int64_t first = 0; first < stride && first < size; first++) {
    const int64_t pixels = (size - first + stride - 1) / stride, tap = (first + padding) % stride;
    const int64_t taps = tap < kernel ? (kernel - tap + stride - 1) / stride : 0, shift = (first + padding) / stride;
    all.push_back({first, pixels, tap, taps, stride, taps - 1 - shift, pixels + shift - out});
  }
  return all;
}

}  // namespace fovea::onednn
