// What one plan has of oneDNN: layouts of weights, and primitives, each made of one call or of several.
#pragma once
#include <algorithm>
#include <dnnl.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "calls.h"
#include "onednn.h"
#include "phases.h"

#if DNNL_VERSION_MAJOR >= 3
#include "onednn3.h"
#else
#include "onednn2.h"
#endif

namespace fovea {

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;
using tag = dnnl::memory::format_tag;

inline memory::data_type type_of(int64_t type) {
  switch (type) {
    case kFloat32: return memory::data_type::f32;
    case kBfloat16: return memory::data_type::bf16;
    case kInt32: return memory::data_type::s32;
    case kUint8: return memory::data_type::u8;
    case kInt8: return memory::data_type::s8;
    default: throw std::invalid_argument("onednn: unknown element type " + std::to_string(type));
  }
}

// A layout of weights; for a gradient by input as forward convolutions, that of the weights of each, one behind another, or that of
// depthwise ones whose window is turned round. For Winograd's algorithm `whole` is how they lie before they are transformed.
struct Layout {
  struct Part {
    onednn::Phase y, x;
    memory::desc weights;  // [in, out, taps of y, taps of x]
    size_t offset;
  };
  struct Winograd {
    bool transposed;
    size_t bytes;
  };
  memory::desc whole;
  std::vector<Part> parts{};
  std::optional<Winograd> winograd{};
  bool turned = false;
  size_t bytes() const {
    if (winograd) return winograd->bytes;
    return parts.empty() ? whole.get_size() : parts.back().offset + parts.back().weights.get_size();
  }
  // See Primitives.
  int64_t output_block() const {
    if (winograd || !parts.empty() || turned) return 0;
    const auto b = onednn::blocking_of(whole);
    if (b.type != memory::data_type::f32 || b.sizes.size() != 4 || b.sizes != b.padded) return 0;
    if (b.axes.empty() || b.axes.back() != 0 || std::count(b.axes.begin(), b.axes.end(), 0) != 1) return 0;
    return b.strides[0] == b.blocks.back() * b.sizes[1] * b.sizes[2] * b.sizes[3] ? b.blocks.back() : 0;
  }
};

// Whether an implementation of oneDNN's multiplies batches of blocks, as its newer ones do.
inline bool is_by_blocks(const std::string& implementation) { return implementation.rfind("brg", 0) == 0; }

inline size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

struct Primitives::Implementation {
  // A buffer of a primitive as it is given, and as the primitive wants it. If these differ, it is reordered into the
  // scratchpad before, from it after, or both.
  struct Tensor {
    int argument;  // DNNL_ARG_*
    memory::desc given, wanted;  // empty for an absent bias
    bool read, written;
    Tensor(int argument, memory::desc given, memory::desc wanted, bool read, bool written)
        : argument(argument), given(given), wanted(wanted), read(read), written(written) {}
    Tensor(int argument, memory::desc given) : Tensor(argument, given, given, true, true) {}
  };
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  std::vector<dnnl::stream> streams;  // by thread
  std::vector<Layout> layouts;
  std::vector<onednn::Calls> primitives;

  int layout_id(const memory::desc& layout) {
    for (size_t i = 0; i < layouts.size(); i++) {
      if (layouts[i].parts.empty() && !layouts[i].winograd && !layouts[i].turned && layouts[i].whole == layout) return (int)i;
    }
    layouts.push_back({layout});
    return (int)layouts.size() - 1;
  }
  int winograd_layout(const memory::desc& whole, bool transposed);

  dnnl::primitive reorder_of(const memory::desc& from, const memory::desc& to) {
    return dnnl::reorder(dnnl::reorder::primitive_desc(engine, from, engine, to));
  }

  PrimitiveInfo convolution(const ConvolutionSpec& spec);
  std::optional<PrimitiveInfo> input_gradient_forward(const ConvolutionSpec& spec, const std::string& other,
                                                      const dnnl::primitive_attr& attr);
  std::optional<PrimitiveInfo> depthwise_input_gradient_forward(const ConvolutionSpec& spec, const dnnl::primitive_attr& attr);
  std::optional<PrimitiveInfo> pack(const memory::desc& from, const Layout& to, int threads);
  PrimitiveInfo transform(const memory::desc& from, const Layout& to, int threads);
  PrimitiveInfo reorder_parts(const memory::desc& from, const Layout& to);
  PrimitiveInfo turn(const memory::desc& from, const Layout& to);

  PrimitiveInfo add(onednn::Calls calls, int layout, size_t scratchpad_bytes, const std::string& implementation) {
    primitives.push_back(std::move(calls));
    const size_t bytes = layout < 0 ? 0 : layouts[layout].bytes();
    const int64_t block = layout < 0 ? 0 : layouts[layout].output_block();
    return {(int)primitives.size() - 1, layout, bytes, block, scratchpad_bytes, implementation};
  }

  // Of one primitive of oneDNN's: `tensors` by the position of their buffers; the scratchpad is last.
  template <class Description>
  PrimitiveInfo add(const Description& pd, dnnl::primitive primitive, int layout, const std::vector<Tensor>& tensors) {
    const size_t scratchpad = tensors.size();
    size_t bytes = pd.scratchpad_desc().get_size();
    onednn::Calls calls;
    std::vector<onednn::Argument> arguments{{DNNL_ARG_SCRATCHPAD, scratchpad, pd.scratchpad_desc()}};
    std::vector<std::pair<dnnl::primitive, std::vector<onednn::Argument>>> after;
    for (size_t i = 0; i < tensors.size(); i++) {
      const auto& [argument, given, wanted, read, written] = tensors[i];
      if (given == wanted) {
        arguments.push_back({argument, i, given});
        continue;
      }
      const size_t offset = aligned(bytes);
      bytes = offset + wanted.get_size();
      arguments.push_back({argument, scratchpad, wanted, offset});
      if (read) calls.add(reorder_of(given, wanted), {{DNNL_ARG_FROM, i, given}, {DNNL_ARG_TO, scratchpad, wanted, offset}});
      if (written) {
        after.push_back({reorder_of(wanted, given), {{DNNL_ARG_FROM, scratchpad, wanted, offset}, {DNNL_ARG_TO, i, given}}});
      }
    }
    calls.add(std::move(primitive), std::move(arguments));
    for (auto& [reorder, given] : after) calls.add(std::move(reorder), std::move(given));
    return add(std::move(calls), layout, bytes, pd.impl_info_str());
  }
};

}  // namespace fovea
