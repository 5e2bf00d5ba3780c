// Every function that JavaScript can call: `info()` and the class Plan with layout, convolution, reorder, build, run, read, write, events, dispose. Every failure is a JavaScript exception with a message.
#include <cstring>
#include <stdexcept>

#include "arguments.h"
#include "costs.h"
#include "environment.h"
#include "interface.h"

namespace {

using fovea::bytes_of;
using fovea::flag;
using fovea::object;
using fovea::Plan;
using fovea::whole;
using fovea::wholes;

// More than any processor of today has cores.
constexpr int kMostThreads = 4096;

// A whole number in an object, by its name.
template <class T = int64_t>
T field(const Napi::Object& from, const char* name, double least = 0, double most = fovea::kMostExact) {
  return whole<T>(from.Get(name), name, least, most);
}

fovea::ConvolutionSpec convolution_of(const Napi::Object& o, int threads) {
  // oneDNN computes with some of them as int, and divides by them.
  const auto size = [&](const char* name) { return field<int32_t>(o, name, 1); };
  const auto padding = [&](const char* name) { return field<int32_t>(o, name, -std::numeric_limits<int32_t>::max()); };
  const auto either = [&](const char* name) { return field(o, name, 0, 1) != 0; };
  return {(Direction)field(o, "direction", 0, 2), field(o, "type"), size("batch"), size("inChannels"),
          size("inHeight"), size("inWidth"), size("outChannels"), size("outHeight"), size("outWidth"),
          size("kernelHeight"), size("kernelWidth"), size("strideY"), size("strideX"), padding("top"), padding("bottom"),
          padding("left"), padding("right"), size("dilationY"), size("dilationX"), size("groups"), either("bias"),
          field(o, "activation"), either("sum"), field(o, "threads", 1, threads)};
}

fovea::Step step_of(const Napi::Value& value, const std::string& name) {
  const auto from = object(value, name);
  fovea::Step step;
  step.once = flag(from.Get("once"), "once");
  const auto buffers = wholes<int>(from.Get("buffers"), "buffers", -1);
  const auto strides = wholes<size_t>(from.Get("strides"), "strides");
  if (strides.size() != buffers.size()) throw Napi::RangeError::New(from.Env(), name + " needs a stride for each buffer");
  for (size_t i = 0; i < buffers.size(); i++) step.operands.push_back({buffers[i], strides[i]});
  if (from.Has("primitive")) {
    step.primitive = field<int>(from, "primitive");
  } else {
    step.kernel = fovea::text(from.Get("kernel"), "kernel");
    step.ints = wholes<int64_t>(from.Get("ints"), "ints", -fovea::kMostExact);
    step.floats = fovea::list<double>(from.Get("floats"), "floats", fovea::number);
  }
  return step;
}

fovea::Loop loop_of(const Napi::Value& value, const std::string& name) {
  const auto from = object(value, name);
  return {field(from, "slices"), field(from, "imagesPerSlice"), wholes<int>(from.Get("zeroed"), "zeroed"),
          fovea::list<fovea::Step>(from.Get("steps"), "steps", step_of)};
}

fovea::Place place_of(const Napi::Value& value, const std::string& name) {
  const auto n = wholes<size_t>(value, name);
  if (n.size() != 4) throw Napi::RangeError::New(value.Env(), name + " must have four numbers");
  return {n[0] != 0, n[1], n[2], n[3]};
}

size_t layout_bytes(const fovea::Primitives& primitives, int layout) {
  try {
    return primitives.layout_bytes(layout);
  } catch (const std::out_of_range&) {
    throw std::out_of_range("plan: there is no layout " + std::to_string(layout));
  }
}

class PlanObject : public Napi::ObjectWrap<PlanObject> {
 public:
  explicit PlanObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PlanObject>(info) {
    plan = std::make_shared<Plan>(whole<int>(info[0], "threads", 1, kMostThreads));
  }

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Plan",
                       {InstanceMethod("layout", &PlanObject::layout), InstanceMethod("convolution", &PlanObject::convolution),
                        InstanceMethod("reorder", &PlanObject::reorder), InstanceMethod("build", &PlanObject::build),
                        InstanceMethod("run", &PlanObject::run), InstanceMethod("read", &PlanObject::read),
                        InstanceMethod("write", &PlanObject::write), InstanceMethod("events", &PlanObject::events),
                        InstanceMethod("dispose", &PlanObject::dispose)});
  }

 private:
  std::shared_ptr<Plan> plan;  // shared with a run

  // Asked for last: arguments are read before, which may run JavaScript.
  Plan& idle(const Napi::CallbackInfo& info) {
    if (!plan) throw Napi::Error::New(info.Env(), "this program is disposed");
    if (plan->busy) throw Napi::Error::New(info.Env(), "a run is under way: await it first");
    return *plan;
  }

  static Napi::Value weights(Napi::Env env, int layout, size_t bytes, int64_t output_block) {
    auto result = Napi::Object::New(env);
    result.Set("layout", layout);
    result.Set("bytes", (double)bytes);
    result.Set("outputBlock", (double)output_block);
    return result;
  }

  static Napi::Value describe(Napi::Env env, const fovea::PrimitiveInfo& p) {
    auto result = Napi::Object::New(env);
    result.Set("id", p.id);
    result.Set("weights", weights(env, p.weights_layout, p.weights_bytes, p.output_block));
    result.Set("scratchpadBytes", (double)p.scratchpad_bytes);
    result.Set("implementation", p.implementation);
    return result;
  }

  // layout(type, shape, groups, arrangement) → { layout, bytes, outputBlock } of the weights
  Napi::Value layout(const Napi::CallbackInfo& info) {
    const auto type = whole<int64_t>(info[0], "type");
    const auto shape = wholes<int64_t>(info[1], "shape", 1);
    const auto groups = whole<int64_t>(info[2], "groups", 1);
    const auto arrangement = (fovea::Arrangement)whole<int>(info[3], "arrangement", 0, 4);
    auto& primitives = idle(info).primitives;
    const int id = primitives.weights_layout(type, shape, groups, arrangement);
    return weights(info.Env(), id, layout_bytes(primitives, id), primitives.output_block(id));
  }

  // convolution(spec) → PrimitiveInfo
  Napi::Value convolution(const Napi::CallbackInfo& info) {
    const auto spec = convolution_of(object(info[0], "spec"), kMostThreads);
    return describe(info.Env(), idle(info).primitives.convolution(spec));
  }

  // reorder(fromLayout, toLayout, threads) → PrimitiveInfo
  Napi::Value reorder(const Napi::CallbackInfo& info) {
    const int from = whole<int>(info[0], "fromLayout"), to = whole<int>(info[1], "toLayout");
    const int threads = whole<int>(info[2], "threads", 1, kMostThreads);
    auto& primitives = idle(info).primitives;
    for (int layout : {from, to}) layout_bytes(primitives, layout);
    return describe(info.Env(), primitives.reorder(from, to, threads));
  }

  // build(arenaBytes, stateBytes, places [[state, offset, bytes, threadStride] …],
  //       loops [{ slices, imagesPerSlice, zeroed, steps [{ kernel | primitive, buffers, strides, ints, floats, once }] }])
  Napi::Value build(const Napi::CallbackInfo& info) {
    const auto arena_bytes = whole<size_t>(info[0], "arenaBytes"), state_bytes = whole<size_t>(info[1], "stateBytes");
    auto places = fovea::list<fovea::Place>(info[2], "places", place_of);
    auto loops = fovea::list<fovea::Loop>(info[3], "loops", loop_of);
    idle(info).build(arena_bytes, state_bytes, std::move(places), std::move(loops));
    return info.Env().Undefined();
  }

  // run(profile, refresh) → Promise
  Napi::Value run(const Napi::CallbackInfo& info) {
    const bool profile = flag(info[0], "profile"), refresh = flag(info[1], "refresh");
    idle(info).check_built();
    return info.Env().GetInstanceData<fovea::Environment>()->run(info.Env(), plan, profile, refresh);
  }

  // read(buffer, layout, plainLayout, target); layouts of -1: a plain copy
  Napi::Value read(const Napi::CallbackInfo& info) {
    transfer(info, true);
    return info.Env().Undefined();
  }
  // write(buffer, layout, plainLayout, source)
  Napi::Value write(const Napi::CallbackInfo& info) {
    transfer(info, false);
    return info.Env().Undefined();
  }
  void transfer(const Napi::CallbackInfo& info, bool reading) {
    const int buffer = whole<int>(info[0], "buffer"), layout = whole<int>(info[1], "layout", -1);
    const int plain = whole<int>(info[2], "plainLayout", -1);
    const auto host = bytes_of(info[3], reading ? "target" : "source");
    Plan& p = idle(info);
    if (layout == plain) {
      void* native = p.at(buffer, host.size);
      if (host.size > 0) reading ? memcpy(host.data, native, host.size) : memcpy(native, host.data, host.size);
      return;
    }
    if (host.size != layout_bytes(p.primitives, plain)) throw std::invalid_argument("plan: wrong length of a state");
    void* native = p.at(buffer, layout_bytes(p.primitives, layout));
    reading ? p.primitives.convert(layout, native, plain, host.data) : p.primitives.convert(plain, host.data, layout, native);
  }

  // events() → [step, thread, start, duration] of each execution in the last profiled run, in seconds, one after another
  Napi::Value events(const Napi::CallbackInfo& info) {
    const auto events = idle(info).events();
    auto result = Napi::Float64Array::New(info.Env(), 4 * events.size());
    for (size_t i = 0; i < events.size(); i++) {
      result[4 * i] = events[i].step;
      result[4 * i + 1] = events[i].thread;
      result[4 * i + 2] = events[i].start;
      result[4 * i + 3] = events[i].duration;
    }
    return result;
  }

  // Cuts a run short, whose promise is then rejected.
  Napi::Value dispose(const Napi::CallbackInfo& info) {
    if (plan) plan->cancel();
    plan.reset();
    return info.Env().Undefined();
  }
};

Napi::Value about(const Napi::CallbackInfo& info) {
  auto result = Napi::Object::New(info.Env());
  result.Set("interface", FOVEA_INTERFACE);
  result.Set("version", fovea::onednn_version());
  result.Set("instructionSet", fovea::instruction_set());
  result.Set("convolutions", fovea::has_convolutions());
  const auto costs = [&](bool depthwise) {
    auto by_direction = Napi::Array::New(info.Env());
    for (uint32_t i = 0; i < 3; i++) by_direction.Set(i, fovea::bfloat16_cost((Direction)i, depthwise));
    return by_direction;
  };
  result.Set("bfloat16Costs", costs(false));
  result.Set("depthwiseBFloat16Costs", costs(true));
  auto overflow = Napi::Array::New(info.Env());
  for (uint32_t depthwise = 0; depthwise < 2; depthwise++) overflow.Set(depthwise, fovea::integers_overflow(depthwise != 0));
  result.Set("integersOverflow", overflow);
  result.Set("threadLimit", fovea::thread_limit());
  return result;
}

Napi::Object start(Napi::Env env, Napi::Object exports) {
  exports.Set("info", Napi::Function::New(env, about));
  exports.Set("Plan", PlanObject::define(env));
  env.SetInstanceData<fovea::Environment>(new fovea::Environment(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(fovea_onednn, start)
