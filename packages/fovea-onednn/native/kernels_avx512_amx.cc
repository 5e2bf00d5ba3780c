// The kernels for AVX-512 with bfloat16, but for those on matrix tiles: all others would be compiled to the same.
#include "kernels/tile_weight_gradient.h"

namespace {

// What a table of this file's kernels has in the place of another's.
template <class Fields>
KernelFunction tiled(KernelFunction other) {
  if constexpr (std::is_same<Fields, TileWeightGradientFields>::value) {
    return [](const StepArgs& step) { tile_weight_gradient(TileWeightGradientFields(step)); };
  } else if constexpr (std::is_same<Fields, TileWeightGradientByOutputsFields>::value) {
    return [](const StepArgs& step) { tile_weight_gradient_by_outputs(TileWeightGradientByOutputsFields(step)); };
  }
  return other;
}

}  // namespace

const KernelFunction* kernels_avx512_amx() {
  const KernelFunction* other = kernels_avx512_bf16();
#define ENTRY(kernel, Fields) tiled<Fields>(*other++),
  static const KernelFunction table[] = {FOVEA_KERNELS(ENTRY)};
#undef ENTRY
  return table;
}
