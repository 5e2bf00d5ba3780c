// The kernels compiled for one instruction set: scripts/flags.mjs has the flags, fovea/src/engines/planned/kernels/table.ts the list.
#include "kernels/table.h"

const KernelFunction* kernels_avx512() { return kTable; }
