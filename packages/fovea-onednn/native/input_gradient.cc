// Gradients by input as forward convolutions of dy; reorders.cc has the weights that these want.
#include <algorithm>
#include <cstring>

#include "primitives.h"

namespace fovea {

// One convolution for each phase of the strides, where that is faster than `other`, oneDNN's implementation of the gradient: on matrix
// tiles that of 2.6 reaches three quarters of the forward speed; with strides, that of 3.7 too reaches a third. Returns nothing elsewhere,
// nor where oneDNN multiplies no blocks for one of the convolutions.
std::optional<PrimitiveInfo> Primitives::Implementation::input_gradient_forward(const ConvolutionSpec& c, const std::string& other,
                                                                                const dnnl::primitive_attr& attr) {
  const bool strided = c.stride_y > 1 || c.stride_x > 1;
  if (other.find("amx") == other.npos || (is_by_blocks(other) && !strided)) return {};
  if (c.groups > 1 || c.dilation_y > 1 || c.dilation_x > 1) return {};
  if (c.in_height % c.stride_y > 0 || c.in_width % c.stride_x > 0) return {};  // oneDNN has no view of a part of such images
  const auto type = type_of(c.type);
  const memory::desc dy({c.batch, c.out_channels, c.out_height, c.out_width}, type, tag::nhwc);
  const memory::desc dx({c.batch, c.in_channels, c.in_height, c.in_width}, type, tag::nhwc);
  const size_t pixel = dx.get_size() / (c.batch * c.in_height * c.in_width), scratchpad = 3;
  Layout layout;
  onednn::Calls calls;
  if (c.kernel_height < c.stride_y || c.kernel_width < c.stride_x) {
    calls.add([bytes = dx.get_size()](void* const* buffers) { memset(buffers[2], 0, bytes); });
  }
  const size_t phase_bytes = strided ? aligned(dx.get_size() / (c.stride_y * c.stride_x)) : 0;
  size_t bytes = 0, weights_bytes = 0;
  std::string implementation;
  for (const auto& y : onednn::phases(c.in_height, c.out_height, c.kernel_height, c.stride_y, c.top)) {
    for (const auto& x : onednn::phases(c.in_width, c.out_width, c.kernel_width, c.stride_x, c.left)) {
      if (y.taps == 0 || x.taps == 0) continue;
      if (std::min({y.before, y.after, x.before, x.after}) < 0) return {};
      const memory::desc w({c.in_channels, c.out_channels, y.taps, x.taps}, type, tag::any);
      const memory::dims pixels{c.batch, c.in_channels, y.pixels, x.pixels};
      const memory::desc dense(pixels, type, tag::nhwc);
      const auto pd = onednn::forward(engine, dy, w, {}, dense,
                                      {{1, 1}, {0, 0}, {y.before, x.before}, {y.after, x.after}}, attr);
      implementation = pd.impl_info_str();
      if (!is_by_blocks(implementation)) return {};
      const memory::desc own = pd.scratchpad_desc();
      layout.parts.push_back({y, x, pd.weights_desc(), weights_bytes});
      calls.add(dnnl::convolution_forward(pd), {{DNNL_ARG_SRC, 0, dy},
                                                {DNNL_ARG_WEIGHTS, 1, pd.weights_desc(), weights_bytes},
                                                {DNNL_ARG_DST, strided ? scratchpad : 2, dense},
                                                {DNNL_ARG_SCRATCHPAD, scratchpad, own, phase_bytes}});
      weights_bytes = aligned(weights_bytes + pd.weights_desc().get_size());
      bytes = std::max(bytes, phase_bytes + own.get_size());
      if (!strided) continue;
      const memory::desc apart(pixels, type,
                               memory::dims{c.in_height * c.in_width * c.in_channels, 1, c.stride_y * c.in_width * c.in_channels,
                                            c.stride_x * c.in_channels});
      calls.add(reorder_of(dense, apart), {{DNNL_ARG_FROM, scratchpad, dense},
                                           {DNNL_ARG_TO, 2, apart, (y.first * c.in_width + x.first) * pixel}});
    }
  }
  if (layout.parts.empty()) return {};
  layouts.push_back(std::move(layout));
  return add(std::move(calls), (int)layouts.size() - 1, bytes, implementation);
}

// The same of depthwise convolutions without strides: oneDNN's own gradient takes half as long again as its forward kernel in float32, and
// twice as long in bfloat16.
std::optional<PrimitiveInfo> Primitives::Implementation::depthwise_input_gradient_forward(const ConvolutionSpec& c,
                                                                                          const dnnl::primitive_attr& attr) {
  if (c.groups == 1 || c.in_channels != c.groups || c.out_channels != c.groups) return {};
  if (c.stride_y > 1 || c.stride_x > 1 || c.dilation_y > 1 || c.dilation_x > 1) return {};
  const auto y = onednn::phases(c.in_height, c.out_height, c.kernel_height, 1, c.top).front();
  const auto x = onednn::phases(c.in_width, c.out_width, c.kernel_width, 1, c.left).front();
  if (std::min({y.before, y.after, x.before, x.after}) < 0) return {};
  const auto type = type_of(c.type);
  const memory::desc dy({c.batch, c.out_channels, c.out_height, c.out_width}, type, tag::nhwc);
  const memory::desc dx({c.batch, c.in_channels, c.in_height, c.in_width}, type, tag::nhwc);
  const memory::desc w({c.groups, 1, 1, c.kernel_height, c.kernel_width}, type, tag::any);
  const auto pd = onednn::forward(engine, dy, w, {}, dx, {{1, 1}, {0, 0}, {y.before, x.before}, {y.after, x.after}}, attr);
  if (std::string(pd.impl_info_str()).rfind("brdgmm", 0) != 0) return {};
  layouts.push_back({pd.weights_desc(), {}, {}, true});
  return add(pd, dnnl::convolution_forward(pd), (int)layouts.size() - 1,
             {{DNNL_ARG_SRC, dy, pd.src_desc(), true, false},
              {DNNL_ARG_WEIGHTS, pd.weights_desc()},
              {DNNL_ARG_DST, dx, pd.dst_desc(), false, true}});
}

}  // namespace fovea
