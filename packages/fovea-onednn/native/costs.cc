#include "costs.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <string>
#include <vector>

namespace fovea {
namespace {

constexpr int64_t kChannels = 64, kSize = 28;

ConvolutionSpec specification(Direction direction, int64_t type, int64_t kernel, int64_t stride, bool depthwise) {
  const int64_t before = kernel / 2, out = (kSize - 1) / stride + 1, after = (out - 1) * stride + kernel - kSize - before;
  return {direction, type, 1, kChannels, kSize, kSize, kChannels, out, out, kernel, kernel, stride, stride, before, after, before,
          after, 1, 1, depthwise ? kChannels : 1, false, kNone, false, 1};
}

// A convolution with all that it needs, on one thread.
struct Trial {
  Primitives primitives{1};
  PrimitiveInfo info;
  std::vector<char> x, y, weights, scratchpad;
  std::vector<void*> buffers;
  // Bytes of this value in x and weights.
  Trial(const ConvolutionSpec& spec, char of_x, char of_weights)
      : info(primitives.convolution(spec)), x(4 * kChannels * kSize * kSize, of_x), y(x.size()),
        weights(info.weights_bytes, of_weights), scratchpad(info.scratchpad_bytes + 1) {
    switch (spec.direction) {
      case kForward: buffers = {x.data(), weights.data(), nullptr, y.data(), scratchpad.data()}; break;
      case kInputGradient: buffers = {y.data(), weights.data(), x.data(), scratchpad.data()}; break;
      case kWeightGradient: buffers = {x.data(), y.data(), weights.data(), nullptr, scratchpad.data()}; break;
    }
    std::vector<bool> present;
    for (void* buffer : buffers) present.push_back(buffer != nullptr);
    present.back() = info.scratchpad_bytes > 0;
    primitives.bind(info.id, present);
  }
  void run() { primitives.execute(info.id, 0, buffers.data()); }
};

// What this thread has computed so far, in seconds: it stands still while others have its core.
double computed() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// The fastest of several runs, in seconds. Zeros in, zeros out: the time does not depend on the numbers. A way that computes
// for longer than `enough`, and did so the time before, is not tried again.
double fastest(const ConvolutionSpec& spec, double enough) {
  Trial trial(spec, 0, 0);
  double best = 1e9, least_computed = 1e9;
  for (int i = 0; i < 8; i++) {
    const double before = computed();
    const auto start = std::chrono::steady_clock::now();
    trial.run();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    least_computed = std::min(least_computed, computed() - before);
    if (i > 0 && least_computed > enough) break;
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

bool has_convolutions() {
  static const bool has = [] {
    try {
      for (Direction direction : {kForward, kInputGradient, kWeightGradient}) {
        const auto made = Primitives(1).convolution(specification(direction, kFloat32, 3, 1, false));
        if (made.implementation.find("ref") != std::string::npos) return false;
      }
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }();
  const char* wish = std::getenv("FOVEA_ISA");
  return has && !(wish && std::string(wish) == "generic");
}

double bfloat16_cost(Direction direction, bool depthwise) {
  if (!has_convolutions()) return 0;
  static const std::array<double, 6> costs = [] {
    std::array<double, 6> measured;
    for (int i = 0; i < 6; i++) measured[i] = measure((Direction)(i % 3), i >= 3);
    return measured;
  }();
  return costs[(int)direction + (depthwise ? 3 : 0)];
}

bool integers_overflow(bool depthwise) {
  if (!has_convolutions()) return false;
  static const std::array<bool, 2> found = [] {
    std::array<bool, 2> wrong;
    for (int i = 0; i < 2; i++) {
      wrong[i] = true;
      try {
        Trial trial(specification(kForward, kUint8, 3, 1, i == 1), (char)255, 127);
        trial.run();
        // A pixel in the middle, where no window reaches into the padding.
        const int32_t* sums = (const int32_t*)trial.y.data() + kChannels * (kSize * kSize / 2 + kSize / 2);
        const int64_t products = 9 * (i == 1 ? 1 : kChannels);
        wrong[i] = std::any_of(sums, sums + kChannels, [&](int64_t sum) { return sum != 255 * 127 * products; });
      } catch (const std::exception&) {  // oneDNN has no such convolution here
      }
    }
    return wrong;
  }();
  return found[depthwise ? 1 : 0];
}

}  // namespace fovea
