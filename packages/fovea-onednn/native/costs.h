// What this processor and this oneDNN are good at, asked of them once: measured or tried, never read from a version number.
#pragma once
#include "onednn.h"

namespace fovea {

// How long a convolution of oneDNN's takes in bfloat16, as a multiple of float32; 0 where there is none. Some processors have the
// instructions, but slow ones; some versions of oneDNN lack a fast kernel in one direction.
double bfloat16_cost(Direction direction, bool depthwise);

// Whether oneDNN has convolutions of its own for this processor in all directions, or only its generic ones, "ref" by name, as for most of Arm's.
// FOVEA_ISA=generic stands for such a processor.
bool has_convolutions();

// Whether sums of products by oneDNN of uint8 and int8 are wrong where the numbers are large: x86 without VNNI adds pairs in 16 bits.
bool integers_overflow(bool depthwise);

}  // namespace fovea
