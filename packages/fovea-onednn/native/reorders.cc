// Weights from one layout to another.
#include <omp.h>

#include "pack_weights.h"
#include "primitives.h"

namespace fovea {
namespace {

// How the weights of a convolution on tiles lie, if they lie in pairs of inputs and fill whole blocks.
std::optional<PairedWeights> paired(const onednn::Blocking& b) {
  const size_t count = b.blocks.size();
  if (b.type != memory::data_type::bf16 || b.sizes != b.padded || b.sizes.size() != 4 || (count != 2 && count != 3)) return {};
  const auto is = [&](size_t i, int64_t axis) { return b.axes[i] == axis; };
  if (!is(count - 1, 1) || b.blocks[count - 1] != 2 || !is(count - 2, 0) || b.blocks[count - 2] % 16 != 0) return {};
  const int64_t block = b.blocks[count - 2];
  if (count == 2) return PairedWeights{block, b.strides[0], b.strides[1], 16 * b.strides[1]};
  if (!is(0, 1) || b.blocks[0] != 16) return {};
  return PairedWeights{block, b.strides[0], 2 * block, b.strides[1]};
}

}  // namespace

PrimitiveInfo Primitives::reorder(int from, int to, int threads) {
  omp_set_num_threads(threads);
  const Layout &a = self->layouts.at(from), &b = self->layouts.at(to);
  if (const auto packed = self->pack(a.whole, b, threads)) return *packed;
  if (!b.parts.empty()) return self->reorder_parts(a.whole, b);
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::reorder::primitive_desc pd(self->engine, a.whole, self->engine, b.whole, attr);
  return self->add(pd, dnnl::reorder(pd), -1, {{DNNL_ARG_FROM, a.whole}, {DNNL_ARG_TO, b.whole}});
}

// By pack_weights, where the layouts are those that it knows.
std::optional<PrimitiveInfo> Primitives::Implementation::pack(const memory::desc& from, const Layout& to, int threads) {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx512bf16")) return {};
  const auto sizes = onednn::blocking_of(from).sizes;
  if (sizes.size() != 4 || sizes[0] % 16 != 0 || sizes[1] % 16 != 0) return {};
  if (from != memory::desc(sizes, memory::data_type::f32, tag::OIhw16o16i)) return {};
  std::vector<PackedTap> taps;
  // Tap (y, x) of a layout, which is tap (from_y, from_x) of the weights that are kept.
  const auto add_tap = [&](const memory::desc& layout, size_t bytes, int64_t y, int64_t x, int64_t from_y, int64_t from_x) {
    const auto blocking = onednn::blocking_of(layout);
    const auto weights = paired(blocking);
    if (weights) {
      const int64_t offset = (int64_t)bytes / 2 + y * blocking.strides[2] + x * blocking.strides[3];
      taps.push_back({*weights, from_y * sizes[3] + from_x, offset});
    }
    return weights.has_value();
  };
  const bool turned = !to.parts.empty();
  if (!turned) {
    for (int64_t y = 0; y < sizes[2]; y++) {
      for (int64_t x = 0; x < sizes[3]; x++) {
        if (!add_tap(to.whole, 0, y, x, y, x)) return {};
      }
    }
  }
  for (const auto& [y, x, weights, offset] : to.parts) {
    for (int64_t i = 0; i < y.taps; i++) {
      for (int64_t j = 0; j < x.taps; j++) {
        if (!add_tap(weights, offset, y.taps - 1 - i, x.taps - 1 - j, y.tap + i * y.apart, x.tap + j * x.apart)) return {};
      }
    }
  }
  onednn::Calls calls;
  calls.add([=](void* const* buffers) {
    pack_weights((const float*)buffers[0], sizes[0], sizes[1], sizes[2] * sizes[3], taps, turned, threads, (uint16_t*)buffers[1]);
  });
  return add(std::move(calls), -1, 0, "packed");
#else
  return {};
#endif
}

// Tap by tap: those of a part are every stride-th, the last one first, from outputs to inputs.
PrimitiveInfo Primitives::Implementation::reorder_parts(const memory::desc& from, const Layout& to) {
  onednn::Calls calls;
  std::string implementation;
  for (const auto& [y, x, weights, offset] : to.parts) {
    for (int64_t tap = 0; tap < y.taps * x.taps; tap++) {
      const int64_t ty = tap / x.taps, tx = tap % x.taps;
      const auto source = from.submemory_desc({to.outputs, to.inputs, 1, 1}, {0, 0, y.tap + ty * y.apart, x.tap + tx * x.apart});
      const auto target = weights.submemory_desc({to.inputs, to.outputs, 1, 1}, {0, 0, y.taps - 1 - ty, x.taps - 1 - tx});
      dnnl::reorder::primitive_desc pd(engine, source, engine, target.permute_axes({1, 0, 2, 3}));
      implementation = pd.impl_info_str();
      calls.add(dnnl::reorder(pd), {{DNNL_ARG_FROM, 0, source}, {DNNL_ARG_TO, 1, target.permute_axes({1, 0, 2, 3}), offset}});
    }
  }
  return add(std::move(calls), -1, 0, implementation);
}

}  // namespace fovea
