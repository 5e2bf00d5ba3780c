// What oneDNN 2.x says in its own way: primitives by descriptors, a scale for each post-operation. The twin of onednn3.h.
#pragma once
#include <dnnl.hpp>

namespace fovea::onednn {

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;

// Strides, dilations and padding of a convolution.
struct Window {
  memory::dims strides, dilates, before, after;
};

constexpr auto kDirect = algorithm::convolution_direct;

using Forward = dnnl::convolution_forward;
using InputGradient = dnnl::convolution_backward_data;
using WeightGradient = dnnl::convolution_backward_weights;

inline Forward::primitive_desc forward(const dnnl::engine& engine, const memory::desc& x, const memory::desc& w,
                                       const memory::desc& b, const memory::desc& y, const Window& s,
                                       const dnnl::primitive_attr& attr = {}) {
  constexpr auto kind = prop_kind::forward_training;
  return {{kind, kDirect, x, w, b, y, s.strides, s.dilates, s.before, s.after}, attr, engine};
}

inline InputGradient::primitive_desc input_gradient(const dnnl::engine& engine, const memory::desc& dx,
                                                    const memory::desc& w, const memory::desc& dy, const Window& s,
                                                    const Forward::primitive_desc& hint, const dnnl::primitive_attr& attr) {
  return {{kDirect, dx, w, dy, s.strides, s.dilates, s.before, s.after}, attr, engine, hint};
}

inline WeightGradient::primitive_desc weight_gradient(const dnnl::engine& engine, const memory::desc& x,
                                                      const memory::desc& dw, const memory::desc& db, const memory::desc& dy,
                                                      const Window& s, const Forward::primitive_desc& hint,
                                                      const dnnl::primitive_attr& attr) {
  return {{kDirect, x, dw, db, dy, s.strides, s.dilates, s.before, s.after}, attr, engine, hint};
}

inline void append(dnnl::post_ops& post, algorithm kind, float alpha, float beta) { post.append_eltwise(1, kind, alpha, beta); }

// How a layout is made of blocks: strides by axis between them, and the blocks, from the outer ones to the inner, each with its axis.
struct Blocking {
  memory::data_type type;
  memory::dims sizes, padded, strides, blocks, axes;
};

inline Blocking blocking_of(const memory::desc& layout) {
  const auto& d = layout.data;
  const auto& b = d.format_desc.blocking;
  const auto list = [](const dnnl_dim_t* first, int count) { return memory::dims(first, first + count); };
  return {(memory::data_type)d.data_type, list(d.dims, d.ndims), list(d.padded_dims, d.ndims), list(b.strides, d.ndims),
          list(b.inner_blks, b.inner_nblks), list(b.inner_idxs, b.inner_nblks)};
}

// Sets of instructions that only this generation names.
inline const char* instruction_set_name(dnnl::cpu_isa set) {
  return set == dnnl::cpu_isa::all ? "all" : "other";
}

}  // namespace fovea::onednn
