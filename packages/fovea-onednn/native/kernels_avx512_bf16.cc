// The kernels compiled for one instruction set: see scripts/build.mjs for the flags, kernels/table.h for the list.
#include "kernels/table.h"

const KernelEntry* kernels_avx512_bf16() { return kTable; }
