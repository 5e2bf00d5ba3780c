// The table of kernels of one instruction set: included by the kernels_*.cc files, each compiled with its own flags, and by the
// engine in WebAssembly, which has no products of bfloat16, and whose convolutions do all that follows themselves. Where a register
// holds four floats, there are convolutions too: oneDNN has none for WebAssembly, and none of its own for most of Arm's processors.
#pragma once
#if defined(__AVX2__)  // AVX-512 includes it
#define FOVEA_OWN_CONVOLUTIONS 0
#else
#define FOVEA_OWN_CONVOLUTIONS 1
#endif
#include "activation.h"
#include "batch_norm.h"
#include "cast.h"
#include "depthwise.h"
#include "fake_quantize.h"
#include "fold_batch_norm.h"
#include "integer_arithmetic.h"
#include "integer_depthwise.h"
#include "loss.h"
#include "map.h"
#include "movement.h"
#include "pool.h"
#include "quantization.h"
#include "random.h"
#include "reduce.h"
#include "update.h"
#include "winograd_weights.h"
#if FOVEA_OWN_CONVOLUTIONS
#include "convolution.h"
#include "convolution_weights.h"
#include "depthwise_convolution.h"
#include "integer_convolution.h"
#endif
#if !defined(__wasm__)
#include "requantize.h"
#include "tile_weight_gradient.h"
#include "weight_gradient.h"
#endif

namespace {

#define ENTRY(kernel, Fields) [](const StepArgs& step) { kernel(Fields(step)); },
const KernelFunction kTable[] = {
    FOVEA_KERNELS(ENTRY)
#if FOVEA_OWN_CONVOLUTIONS
    FOVEA_CONVOLUTION_KERNELS(ENTRY)
#endif
};
#undef ENTRY

}  // namespace
