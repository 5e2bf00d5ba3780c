// What oneDNN 3.x says in its own way: primitives by their arguments, post-operations without a scale. The twin of onednn2.h.
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
  return {engine, kind, kDirect, x, w, b, y, s.strides, s.dilates, s.before, s.after, attr};
}

inline InputGradient::primitive_desc input_gradient(const dnnl::engine& engine, const memory::desc& dx,
                                                    const memory::desc& w, const memory::desc& dy, const Window& s,
                                                    const Forward::primitive_desc& hint, const dnnl::primitive_attr& attr) {
  return {engine, kDirect, dx, w, dy, s.strides, s.dilates, s.before, s.after, hint, attr};
}

inline WeightGradient::primitive_desc weight_gradient(const dnnl::engine& engine, const memory::desc& x,
                                                      const memory::desc& dw, const memory::desc& db, const memory::desc& dy,
                                                      const Window& s, const Forward::primitive_desc& hint,
                                                      const dnnl::primitive_attr& attr) {
  return {engine, kDirect, x, dw, db, dy, s.strides, s.dilates, s.before, s.after, hint, attr};
}

inline void append(dnnl::post_ops& post, algorithm kind, float alpha, float beta) {
  post.append_eltwise(kind, alpha, beta);
}

// How a layout is made of blocks: strides by axis between them, and the blocks, from the outer ones to the inner, each with its axis.
struct Blocking {
  memory::data_type type;
  memory::dims sizes, padded, strides, blocks, axes;
};

inline Blocking blocking_of(const memory::desc& d) {
  return {d.get_data_type(), d.get_dims(), d.get_padded_dims(), d.get_strides(), d.get_inner_blks(), d.get_inner_idxs()};
}

// Sets of instructions that only this generation names.
inline const char* instruction_set_name(dnnl::cpu_isa set) {
  switch (set) {
    case dnnl::cpu_isa::avx2_vnni_2: return "avx2_vnni_2";
    case dnnl::cpu_isa::avx512_core_fp16: return "avx512_core_fp16";
    case dnnl::cpu_isa::avx512_core_amx_fp16: return "avx512_core_amx_fp16";
    default: return "other";
  }
}

}  // namespace fovea::onednn
