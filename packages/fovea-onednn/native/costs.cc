#include "costs.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <vector>

namespace fovea {
namespace {

constexpr int64_t kChannels = 64, kSize = 28;

ConvolutionSpec specification(Direction direction, int64_t type, int64_t kernel, int64_t stride, bool depthwise) {
  const int64_t before = kernel / 2, out = (kSize - 1) / stride + 1, after = (out - 1) * stride + kernel - kSize - before;
  return {direction, type, 1, kChannels, kSize, kSize, kChannels, out, out, kernel, kernel, stride, stride, before, after, before,
          after, 1, 1, depthwise ? kChannels : 1, false, kNone, false, 1, false, false};
}

// The fastest of several runs, in seconds. Zeros in, zeros out: the time does not depend on the numbers. A way that takes
// longer than `enough` the first time is not tried again.
double fastest(const ConvolutionSpec& spec, double enough) {
  Primitives primitives(1);
  const PrimitiveInfo info = primitives.convolution(spec);
  std::vector<char> x(4 * kChannels * kSize * kSize), y(x), weights(info.weights_bytes), scratchpad(info.scratchpad_bytes + 1);
  const bool scratch = info.scratchpad_bytes > 0;
  std::vector<void*> buffers;
  std::vector<bool> present;
  switch (spec.direction) {
    case kForward: buffers = {x.data(), weights.data(), nullptr, y.data(), scratchpad.data()}; break;
    case kInputGradient: buffers = {y.data(), weights.data(), x.data(), scratchpad.data()}; break;
    case kWeightGradient: buffers = {x.data(), y.data(), weights.data(), nullptr, scratchpad.data()}; break;
  }
  for (void* buffer : buffers) present.push_back(buffer != nullptr);
  present.back() = scratch;
  primitives.bind(info.id, present);
  double best = 1e9;
  for (int i = 0; i < 8; i++) {
    const auto start = std::chrono::steady_clock::now();
    primitives.execute(info.id, 0, buffers.data());
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (best > enough) break;
  }
  return best;
}

double measure(Direction direction, bool depthwise) {
  // Windows of EfficientNet for depthwise convolutions: the slower counts, as a kernel may be missing for one of them.
  const std::vector<std::array<int64_t, 2>> windows =
      depthwise ? std::vector<std::array<int64_t, 2>>{{3, 1}, {5, 2}} : std::vector<std::array<int64_t, 2>>{{3, 1}};
  double worst = 0;
  for (const auto [kernel, stride] : windows) {
    try {
      Primitives(1).convolution(specification(direction, kBfloat16, kernel, stride, depthwise));
      const double wide = fastest(specification(direction, kFloat32, kernel, stride, depthwise), 1e9);
      const double half = fastest(specification(direction, kBfloat16, kernel, stride, depthwise), 10 * wide);
      worst = std::max(worst, half / wide);
    } catch (const std::exception&) {  // oneDNN has no such convolution here
      return 0;
    }
  }
  return worst;
}

}  // namespace

double bfloat16_cost(Direction direction, bool depthwise) {
  static const std::array<double, 6> costs = [] {
    std::array<double, 6> measured;
    for (int i = 0; i < 6; i++) measured[i] = measure((Direction)(i % 3), i >= 3);
    return measured;
  }();
  return costs[(int)direction + (depthwise ? 3 : 0)];
}

bool has_winograd() {
  static const bool found = [] {
    ConvolutionSpec spec = specification(kForward, kFloat32, 3, 1, false);
    spec.winograd = true;
    return Primitives(1).convolution(spec).winograd;
  }();
  return found;
}

}  // namespace fovea
