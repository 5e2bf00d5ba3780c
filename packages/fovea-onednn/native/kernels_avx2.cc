// The kernels compiled for one instruction set: see scripts/flags.mjs for the flags, src/kernels/table.ts for the list.
#include "kernels/table.h"

const KernelFunction* kernels_avx2() { return kTable; }
