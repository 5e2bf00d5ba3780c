// Weights from one layout to another.
#include <omp.h>

#include <algorithm>
#include <array>

#include "pack_weights.h"
#include "plan.h"
#include "primitives.h"

namespace fovea {
namespace {

#if defined(__x86_64__)
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
#endif

// A tap of a layout's window, and which one it is of the window that is kept.
struct Tap {
  memory::desc weights;
  size_t offset;
  int64_t y, x, from_y, from_x;
};

// All taps. Those of a part are every stride-th, the last one first.
std::vector<Tap> taps_of(const Layout& to, int64_t height, int64_t width) {
  std::vector<Tap> taps;
  if (to.parts.empty()) {
    for (int64_t i = 0; i < height * width; i++) taps.push_back({to.whole, 0, i / width, i % width, i / width, i % width});
  }
  for (const auto& [y, x, weights, offset] : to.parts) {
    for (int64_t i = 0; i < y.taps * x.taps; i++) {
      const int64_t ty = i / x.taps, tx = i % x.taps;
      taps.push_back({weights, offset, y.taps - 1 - ty, x.taps - 1 - tx, y.tap + ty * y.apart, x.tap + tx * x.apart});
    }
  }
  return taps;
}

}  // namespace

PrimitiveInfo Primitives::reorder(int from, int to, int threads) {
  omp_set_num_threads(threads);
  const Layout &a = self->layouts.at(from), &b = self->layouts.at(to);
  if (const auto packed = self->pack(a.whole, b, threads)) return *packed;
  if (b.winograd) return self->transform(a.whole, b, threads);
  if (!b.parts.empty()) return self->reorder_parts(a.whole, b);
  if (b.turned) return self->turn(a.whole, b);
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::reorder::primitive_desc pd(self->engine, a.whole, self->engine, b.whole, attr);
  return self->add(pd, dnnl::reorder(pd), -1, {{DNNL_ARG_FROM, a.whole}, {DNNL_ARG_TO, b.whole}});
}

#if defined(__x86_64__)
// By pack_weights, where the layouts are those that it knows.
std::optional<PrimitiveInfo> Primitives::Implementation::pack(const memory::desc& from, const Layout& to, int threads) {
  if (!__builtin_cpu_supports("avx512bf16")) return {};
  const auto sizes = onednn::blocking_of(from).sizes;
  if (sizes.size() != 4 || sizes[0] % 16 != 0 || sizes[1] % 16 != 0) return {};
  if (from != memory::desc(sizes, memory::data_type::f32, tag::OIhw16o16i)) return {};
  std::vector<PackedTap> taps;
  for (const auto& [layout, bytes, y, x, from_y, from_x] : taps_of(to, sizes[2], sizes[3])) {
    const auto blocking = onednn::blocking_of(layout);
    const auto weights = paired(blocking);
    if (!weights) return {};
    const int64_t offset = (int64_t)bytes / 2 + y * blocking.strides[2] + x * blocking.strides[3];
    taps.push_back({*weights, from_y * sizes[3] + from_x, offset});
  }
  const bool turned = !to.parts.empty();
  onednn::Calls calls;
  calls.add([=](void* const* buffers) {
    pack_weights((const float*)buffers[0], sizes[0], sizes[1], sizes[2] * sizes[3], taps, turned, threads, (uint16_t*)buffers[1]);
  });
  return add(std::move(calls), -1, 0, "packed");
}
#else
std::optional<PrimitiveInfo> Primitives::Implementation::pack(const memory::desc&, const Layout&, int) { return {}; }
#endif

int Primitives::Implementation::winograd_layout(const memory::desc& whole, bool transposed) {
  for (size_t i = 0; i < layouts.size(); i++) {
    const auto& found = layouts[i].winograd;
    if (found && found->transposed == transposed && layouts[i].whole == whole) return (int)i;
  }
  const auto sizes = onednn::blocking_of(whole).sizes;
  constexpr int64_t kPlaces = (kWinogradResults + 2) * (kWinogradResults + 2);
  layouts.push_back({whole, {}, Layout::Winograd{transposed, kPlaces * (sizes[0] * sizes[1] + 16) * sizeof(float)}});
  return (int)layouts.size() - 1;
}

// By a kernel of ours, of dense weights: others become dense in the scratchpad.
PrimitiveInfo Primitives::Implementation::transform(const memory::desc& from, const Layout& to, int threads) {
  onednn::Calls calls;
  size_t source = 0, bytes = 0;
  if (from != to.whole) {
    source = 2, bytes = to.whole.get_size();
    calls.add(reorder_of(from, to.whole), {{DNNL_ARG_FROM, 0, from}, {DNNL_ARG_TO, source, to.whole}});
  }
  const auto sizes = onednn::blocking_of(to.whole).sizes;
  const std::array<int64_t, 3> numbers{sizes[1], sizes[0], to.winograd->transposed};
  const KernelFunction kernel = best_kernels()[kernel_number("winogradWeights")];
  calls.add([=](void* const* buffers) {
    void* const operands[] = {buffers[source], buffers[1]};
    const size_t strides[2] = {};
    kernel({operands, strides, numbers.data(), nullptr, threads, 0});
  });
  return add(std::move(calls), -1, bytes, "winograd");
}

// Of depthwise weights: dense ones with the last tap first, then as the primitive wants them.
PrimitiveInfo Primitives::Implementation::turn(const memory::desc& from, const Layout& to) {
  const auto sizes = onednn::blocking_of(from).sizes;
  const memory::desc dense(sizes, memory::data_type::f32, tag::goihw);
  const int64_t taps = sizes[3] * sizes[4], count = sizes[0] * taps;
  const size_t given = 0, scratchpad = 2, bytes = dense.get_size();
  const bool is_dense = from == dense;
  onednn::Calls calls;
  if (!is_dense) calls.add(reorder_of(from, dense), {{DNNL_ARG_FROM, given, from}, {DNNL_ARG_TO, scratchpad, dense, bytes}});
  calls.add([=](void* const* buffers) {
    float* turned = (float*)buffers[scratchpad];
    const float* source = is_dense ? (const float*)buffers[given] : turned + count;
    for (int64_t i = 0; i < count; i += taps) std::reverse_copy(source + i, source + i + taps, turned + i);
  });
  calls.add(reorder_of(dense, to.whole), {{DNNL_ARG_FROM, scratchpad, dense}, {DNNL_ARG_TO, 1, to.whole}});
  return add(std::move(calls), -1, 2 * bytes, "turned");
}

// Tap by tap, from outputs to inputs.
PrimitiveInfo Primitives::Implementation::reorder_parts(const memory::desc& from, const Layout& to) {
  onednn::Calls calls;
  std::string implementation;
  const auto sizes = onednn::blocking_of(from).sizes;
  for (const auto& [weights, offset, y, x, from_y, from_x] : taps_of(to, sizes[2], sizes[3])) {
    const auto source = from.submemory_desc({sizes[0], sizes[1], 1, 1}, {0, 0, from_y, from_x});
    const auto target = weights.submemory_desc({sizes[1], sizes[0], 1, 1}, {0, 0, y, x}).permute_axes({1, 0, 2, 3});
    dnnl::reorder::primitive_desc pd(engine, source, engine, target);
    implementation = pd.impl_info_str();
    calls.add(dnnl::reorder(pd), {{DNNL_ARG_FROM, 0, source}, {DNNL_ARG_TO, 1, target, offset}});
  }
  return add(std::move(calls), -1, 0, implementation);
}

}  // namespace fovea
