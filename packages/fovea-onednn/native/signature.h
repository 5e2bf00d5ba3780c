// What a step of each kernel must hold: from the table of kernels (fovea/src/engines/planned/kernels/table.ts), so that a
// plan that does not fit is refused when it is built, and not found out by what it overwrites.
#pragma once
#include <string>
#include <vector>

#include "step.h"

namespace fovea {

// The bytes of a step's buffer that one execution may touch, and how far that of the next thread is away.
struct Room {
  bool present;
  size_t bytes, thread_stride;
};

// How many kernels every instruction set has; convolutions, which follow, are of the generic one alone.
size_t common_kernels();

// @returns the kernel's place in FOVEA_KERNELS and, behind them, FOVEA_CONVOLUTION_KERNELS
// @throws std::invalid_argument if there is none of that name
size_t kernel_number(const std::string& kernel);

// @param team threads that share an execution
// @returns the kernel's place, as kernel_number()
// @throws std::invalid_argument naming the kernel and the field that does not fit
size_t check_kernel(const std::string& kernel, const std::vector<Room>& rooms, const std::vector<int64_t>& ints,
                    const std::vector<double>& floats, int team);

}  // namespace fovea
