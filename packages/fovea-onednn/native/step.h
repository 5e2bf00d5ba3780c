// What a kernel is given at every run: pointers to its buffers and the numbers that TypeScript put into the plan.
#pragma once
#include <cstdint>

struct StepArgs {
  void* const* buffers;  // nullptr where an optional one is absent
  const int64_t* ints;
  const double* floats;
  int threads;
  int64_t first_image;  // of the slice of the batch that the buffers point at
};

using KernelFunction = void (*)(const StepArgs&);

struct KernelEntry {
  const char* name;
  KernelFunction run;
};

// The kernels of one instruction set, closed by an entry without a name.
const KernelEntry* kernels_generic();
#if defined(__x86_64__)
const KernelEntry* kernels_avx2();
const KernelEntry* kernels_avx512();
const KernelEntry* kernels_avx512_bf16();
#endif

// Element types, as src/lowering.ts numbers them.
enum ElementType : int64_t { kFloat32 = 0, kBFloat16 = 1, kInt32 = 2, kUint8 = 3, kFloat16 = 4 };
// Activations, as src/lowering.ts numbers them.
enum ActivationKind : int64_t { kNone = 0, kRelu, kRelu6, kSilu, kGelu, kSigmoid, kHardSwish };
