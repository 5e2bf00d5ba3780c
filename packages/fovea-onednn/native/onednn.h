// All use of oneDNN's C++ API: primitives and the weight layouts they prefer. What its generations say differently stands in
// onednn2.h and onednn3.h; nothing else knows the version.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "enumerations.h"

namespace fovea {

// A two-dimensional convolution over NHWC activations. A linear layer is one over 1×1 images.
struct ConvolutionSpec {
  Direction direction;
  int64_t type;  // ElementType of activations and weights (of uint8: int8 weights, int32 results); weight gradients and biases are float32
  int64_t batch, in_channels, in_height, in_width, out_channels, out_height, out_width;
  int64_t kernel_height, kernel_width, stride_y, stride_x, top, bottom, left, right, dilation_y, dilation_x, groups;
  bool bias;
  int64_t activation;  // ActivationKind applied to the result (forward)
  bool sum;            // adds what the output buffer holds before the activation (forward)
  int64_t threads;     // that share one execution
};

struct PrimitiveInfo {
  int id;
  int weights_layout;  // of the weights read, or of the gradient written; -1 for none
  size_t weights_bytes;
  int64_t output_block;
  size_t scratchpad_bytes;
  std::string implementation;
};

// How weights lie, by the numbers of src/layouts.ts: dense, [out, in/groups, kh, kw]; or, of one group, in tiles of 16 inputs by
// 16 outputs, as kernels/weight_gradient.h leaves them, or of outputs by inputs (kernels/tile_weight_gradient.h); or transformed for
// Winograd's algorithm (kernels/winograd_weights.h), forward and for the gradient by input.
enum Arrangement { kDense, kInputsByOutputs, kOutputsByInputs, kWinograd, kWinogradTransposed };

// Primitives and layouts of one plan, which so many threads may execute at the same time.
class Primitives {
 public:
  explicit Primitives(int threads);
  ~Primitives();
  int weights_layout(int64_t type, const std::vector<int64_t>& shape, int64_t groups, Arrangement arrangement);
  size_t layout_bytes(int layout) const;
  // How many outputs lie side by side where float32 weights lie in blocks of these, one behind another without gaps, each with all that
  // belongs to its outputs; else 0.
  int64_t output_block(int layout) const;
  PrimitiveInfo convolution(const ConvolutionSpec& spec);
  PrimitiveInfo reorder(int from, int to, int threads);
  // Which buffers a primitive will be given, by position: convolution forward x, weights, bias, y, scratchpad; input
  // gradient dy, weights, dx, scratchpad; weight gradient x, dy, dw, db, scratchpad; reorder from, to, scratchpad.
  void bind(int id, const std::vector<bool>& present);
  void execute(int id, int thread, void* const* buffers);
  // A reorder between host memory and a state, once.
  void convert(int from, const void* source, int to, void* target);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> self;
};

std::string onednn_version();
std::string instruction_set();

}  // namespace fovea
