// Weights for matrix tiles, made of those that training keeps: in one pass over memory, where oneDNN's reorders take several times as
// long. Without these, they were a tenth of a step of ResNet-18 on 16 images.
#pragma once
#include <cstdint>
#include <vector>

namespace fovea {

// How bfloat16 weights lie for a convolution on tiles: 16 outputs side by side, of two inputs each. Distances are in numbers.
struct PairedWeights {
  int64_t block, next_block;     // outputs in a block; from one block to the next
  int64_t next_pair, next_half;  // from two inputs to the next two, and from 32 inputs to the next 32
  int64_t at(int64_t output, int64_t input) const {
    return output / block * next_block + output % block * 2 + input / 32 * next_half + input % 32 / 2 * next_pair;
  }
};

// A tap of the window: which one it is of the weights that are kept, and where it goes.
struct PackedTap {
  PairedWeights weights;
  int64_t from, offset;
};

// From float32 in tiles [outputs / 16, inputs / 16, taps, 16, 16], both counts multiples of 16. `turned`: for the gradient by input, inputs
// take the place of outputs.
void pack_weights(const float* from, int64_t outputs, int64_t inputs, int64_t taps, const std::vector<PackedTap>& wanted, bool turned,
                  int threads, uint16_t* to);

}  // namespace fovea
