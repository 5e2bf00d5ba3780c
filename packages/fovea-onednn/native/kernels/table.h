// The table of kernels of one instruction set: included by the kernels_*.cc files, each compiled with its own flags.
#include "batch_norm.h"
#include "depthwise.h"
#include "elementwise.h"
#include "loss.h"
#include "map.h"
#include "movement.h"
#include "pool.h"
#include "reduce.h"
#include "weight_gradient.h"

namespace {

#define ENTRY(kernel, Fields) [](const StepArgs& step) { kernel(Fields(step)); },
const KernelFunction kTable[] = {FOVEA_KERNELS(ENTRY)};
#undef ENTRY

}  // namespace
