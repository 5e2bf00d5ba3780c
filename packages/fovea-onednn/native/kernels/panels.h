// Weights as products of matrices read them: panels of so many channels side by side, a row for each number that a window reads.
#pragma once
#include "matrix.h"
#include "window.h"

namespace {

static_assert(kLanes == 4, "registers of WebAssembly and of Arm");
static_assert(kPanel == 8, "`panel` in fovea/src/engines/planned/kernels/convolution-kernels.ts");
constexpr int kPixels = kRows;  // by a panel

// [groups, panels, taps, rows, kPanel]: a row for each channel that is read, a column for each that is written.
template <class Number>
struct Panels {
  const Number* weights;
  int64_t groups, rows, columns, taps;
  Panels(const Number* weights, int64_t groups, int64_t rows, int64_t columns, int64_t taps)
      : weights(weights), groups(groups), rows(rows), columns(columns), taps(taps) {}
  int64_t panels() const { return (columns + kPanel - 1) / kPanel; }
  int64_t offset(int64_t group, int64_t panel) const { return (group * panels() + panel) * taps * rows * kPanel; }
  const Number* at(int64_t group, int64_t panel) const { return weights + offset(group, panel); }
};

// Transposed, for the gradient by the input: inputs are columns, and taps lie in the opposite order.
void pack_weights(const PackWeightsFields& s) {
  const int64_t taps = s.taps, rows = s.transposed ? s.outputs : s.inputs, columns = s.transposed ? s.inputs : s.outputs;
  const Panels panels(s.packed, s.groups, rows, columns, taps);
  parallel(s.groups * panels.panels(), kGrain / (taps * rows * kPanel) + 1, s.threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t group = i / panels.panels(), first = i % panels.panels() * kPanel;
      float* to = s.packed + panels.offset(group, i % panels.panels());
      for (int64_t tap = 0; tap < taps; tap++) {
        for (int64_t row = 0; row < rows; row++) {
          for (int64_t column = first; column < first + kPanel; column++) {
            const int64_t output = s.transposed ? row : column, input = s.transposed ? column : row;
            const int64_t at = ((group * s.outputs + output) * s.inputs + input) * taps + (s.transposed ? taps - 1 - tap : tap);
            *to++ = column < columns ? s.weight[at] : 0;
          }
        }
      }
    }
  });
}

// Calls body(y, x, tap) for the taps of windows that lie on pixels of the phase (first_y, first_x): how far the window's place is
// from the pixel's, divided by the stride, and the tap's number in the opposite order.
template <class Fields, class Body>
inline void for_each_gradient_tap(const Fields& s, int64_t first_y, int64_t first_x, Body body) {
  const int64_t taps = s.kernel_height * s.kernel_width;
  for (int64_t tap = 0; tap < taps; tap++) {
    const int64_t k = taps - 1 - tap;
    const int64_t y = first_y + s.top - k / s.kernel_width * s.dilation_y, x = first_x + s.left - k % s.kernel_width * s.dilation_x;
    if (y % s.stride_y == 0 && x % s.stride_x == 0) body(y / s.stride_y, x / s.stride_x, tap);
  }
}

}  // namespace
