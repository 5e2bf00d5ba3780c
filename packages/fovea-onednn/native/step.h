// What a kernel is given at every run: pointers to its buffers and the numbers that TypeScript put into the plan. Kernels read
// them by name, through the structs in kernel_fields.h.
#pragma once
#include <cstddef>
#include <cstdint>

struct StepArgs {
  void* const* buffers;          // nullptr where an optional one is absent
  const size_t* thread_strides;  // of each buffer: how far what the next thread has is away, in bytes
  const int64_t* ints;
  const double* floats;
  int threads;
  int64_t first_image;  // of the slice of the batch that the buffers point at
};

using KernelFunction = void (*)(const StepArgs&);

// The kernels of one instruction set, in the order of FOVEA_KERNELS (kernel_fields.h); of the generic one, those of
// FOVEA_CONVOLUTION_KERNELS follow.
const KernelFunction* kernels_generic();
#if defined(__x86_64__)
const KernelFunction* kernels_avx2();
const KernelFunction* kernels_avx512();
const KernelFunction* kernels_avx512_bf16();
const KernelFunction* kernels_avx512_amx();
#endif
