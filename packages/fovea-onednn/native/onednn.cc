#include "onednn.h"

#include <omp.h>

#include "primitives.h"

namespace fovea {
namespace {

void append_activation(dnnl::post_ops& post, int64_t kind) {
  switch (kind) {
    case kNone: return;
    case kRelu: return onednn::append(post, algorithm::eltwise_relu, 0, 0);
    case kRelu6: return onednn::append(post, algorithm::eltwise_clip, 0, 6);
    case kSilu: return onednn::append(post, algorithm::eltwise_swish, 1, 0);
    case kGelu: return onednn::append(post, algorithm::eltwise_gelu_erf, 0, 0);
    case kSigmoid: return onednn::append(post, algorithm::eltwise_logistic, 0, 0);
    // x · min(max(α x + β, 0), 1); oneDNN 2.x knows no other α and β, and does not read them.
    case kHardSwish: return onednn::append(post, algorithm::eltwise_hardswish, 1.f / 6, 0.5f);
    default: throw std::invalid_argument("onednn: unknown activation " + std::to_string(kind));
  }
}

}  // namespace

Primitives::Primitives(int threads) : self(new Implementation) {
  for (int t = 0; t < threads; t++) self->streams.emplace_back(self->engine);
}
Primitives::~Primitives() = default;

int Primitives::weights_layout(int64_t type, const std::vector<int64_t>& shape, int64_t groups, Arrangement arrangement) {
  if (arrangement == kWinograd || arrangement == kWinogradTransposed) {
    return self->winograd_layout(memory::desc(shape, memory::data_type::f32, tag::oihw), arrangement == kWinogradTransposed);
  }
  if (arrangement != kDense) {
    const tag format = arrangement == kInputsByOutputs ? tag::OIhw16i16o : tag::OIhw16o16i;
    return self->layout_id(memory::desc(shape, type_of(type), format));
  }
  memory::dims dims = shape;
  if (shape.size() == 4 && groups > 1) dims = {groups, shape[0] / groups, shape[1], shape[2], shape[3]};
  const tag format = dims.size() == 5 ? tag::goihw : dims.size() == 4 ? tag::oihw : dims.size() == 2 ? tag::ab : tag::a;
  return self->layout_id(memory::desc(dims, type_of(type), format));
}

size_t Primitives::layout_bytes(int layout) const { return self->layouts.at(layout).bytes(); }
int64_t Primitives::output_block(int layout) const { return self->layouts.at(layout).output_block(); }

PrimitiveInfo Primitives::convolution(const ConvolutionSpec& c) { return self->convolution(c); }

PrimitiveInfo Primitives::Implementation::convolution(const ConvolutionSpec& c) {
  // Products of uint8 and int8 add up in int32.
  const bool integers = c.type == kUint8;
  const auto type = type_of(c.type), f32 = memory::data_type::f32;
  const auto weight_type = integers ? memory::data_type::s8 : type, sum_type = integers ? memory::data_type::s32 : type;
  const onednn::Window window{{c.stride_y, c.stride_x}, {c.dilation_y - 1, c.dilation_x - 1}, {c.top, c.left}, {c.bottom, c.right}};
  const memory::dims in{c.batch, c.in_channels, c.in_height, c.in_width};
  const memory::dims out{c.batch, c.out_channels, c.out_height, c.out_width};
  const memory::desc x(in, type, tag::nhwc), y(out, sum_type, tag::nhwc);
  memory::dims shape{c.out_channels, c.in_channels / c.groups, c.kernel_height, c.kernel_width};
  if (c.groups > 1) {
    shape = {c.groups, c.out_channels / c.groups, c.in_channels / c.groups, c.kernel_height, c.kernel_width};
  }
  const memory::desc w(shape, weight_type, tag::any), dw(shape, f32, tag::any);
  const memory::desc b = c.bias ? memory::desc({c.out_channels}, f32, tag::a) : memory::desc();
  omp_set_num_threads((int)c.threads);  // a primitive is made for the threads of the thread that makes it
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);

  if (c.direction == kForward) {
    dnnl::post_ops post;
    if (c.sum) post.append_sum(1);
    append_activation(post, c.activation);
    attr.set_post_ops(post);
    const auto pd = onednn::forward(engine, x, w, b, y, window, attr);
    return add(pd, dnnl::convolution_forward(pd), layout_id(pd.weights_desc()),
               {{DNNL_ARG_SRC, x, pd.src_desc(), true, false},
                {DNNL_ARG_WEIGHTS, pd.weights_desc()},
                {DNNL_ARG_BIAS, b},
                {DNNL_ARG_DST, y, pd.dst_desc(), c.sum, true}});
  }
  const auto hint = onednn::forward(engine, x, w, {}, y, window);
  if (c.direction == kInputGradient) {
    const auto pd = onednn::input_gradient(engine, x, w, y, window, hint, attr);
    if (const auto info = input_gradient_forward(c, pd.impl_info_str(), attr)) return *info;
    if (const auto info = depthwise_input_gradient_forward(c, attr)) return *info;
    return add(pd, dnnl::convolution_backward_data(pd), layout_id(pd.weights_desc()),
               {{DNNL_ARG_DIFF_DST, y, pd.diff_dst_desc(), true, false},
                {DNNL_ARG_WEIGHTS, pd.weights_desc()},
                {DNNL_ARG_DIFF_SRC, x, pd.diff_src_desc(), false, true}});
  }
  const auto pd = onednn::weight_gradient(engine, x, dw, b, y, window, hint, attr);
  return add(pd, dnnl::convolution_backward_weights(pd), layout_id(pd.diff_weights_desc()),
             {{DNNL_ARG_SRC, x, pd.src_desc(), true, false},
              {DNNL_ARG_DIFF_DST, y, pd.diff_dst_desc(), true, false},
              {DNNL_ARG_DIFF_WEIGHTS, pd.diff_weights_desc()},
              {DNNL_ARG_DIFF_BIAS, b}});
}

void Primitives::bind(int id, const std::vector<bool>& present) {
  self->primitives.at(id).bind(self->engine, self->streams.size(), present);
}

void Primitives::execute(int id, int thread, void* const* buffers) {
  self->primitives[id].execute(thread, buffers, self->streams[thread]);
}

void Primitives::convert(int from, const void* source, int to, void* target) {
  // On one thread: a second pool of threads, beside that of the plans, would make libgomp put both to sleep early.
  omp_set_num_threads(1);
  memory a(self->layouts.at(from).whole, self->engine, const_cast<void*>(source));
  memory b(self->layouts.at(to).whole, self->engine, target);
  dnnl::reorder(a, b).execute(self->streams[0], a, b);
  self->streams[0].wait();
}

std::string onednn_version() {
  const auto* v = dnnl_version();
  return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

std::string instruction_set() {
  const auto set = dnnl::get_effective_cpu_isa();
  switch (set) {
    case dnnl::cpu_isa::sse41: return "sse41";
    case dnnl::cpu_isa::avx: return "avx";
    case dnnl::cpu_isa::avx2: return "avx2";
    case dnnl::cpu_isa::avx2_vnni: return "avx2_vnni";
    case dnnl::cpu_isa::avx512_core: return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni: return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16: return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_amx: return "avx512_core_amx";
    default: return onednn::instruction_set_name(set);
  }
}

}  // namespace fovea
