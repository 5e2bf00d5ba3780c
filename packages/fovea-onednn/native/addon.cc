// Every function that JavaScript can call: `info()` and the class Plan with layout, convolution, reorder, build, run, read, write, events, dispose. Every failure is a JavaScript exception with a message.
#include <napi.h>

#include <condition_variable>
#include <memory>
#include <mutex>

#include "plan.h"
#include "runner.h"

namespace {

using fovea::Plan;

// The one piece of global state: the thread that runs all plans, with its pool. The environments of a process (its main
// thread's and its workers') share it; it ends with the last of them.
std::shared_ptr<fovea::Runner> shared_runner() {
  static std::mutex mutex;
  static std::weak_ptr<fovea::Runner> current;
  std::lock_guard<std::mutex> lock(mutex);
  auto runner = current.lock();
  if (!runner) current = runner = std::make_shared<fovea::Runner>();
  return runner;
}

// What belongs to one environment. It may not end while a run of its plans still writes to its arrays.
struct Environment {
  std::shared_ptr<fovea::Runner> runner = shared_runner();
  std::mutex mutex;
  std::condition_variable idle;
  int running = 0;

  void begin() {
    std::lock_guard<std::mutex> lock(mutex);
    running++;
  }
  void end() {
    std::lock_guard<std::mutex> lock(mutex);
    running--;
    idle.notify_all();
  }
  void wait() {
    std::unique_lock<std::mutex> lock(mutex);
    idle.wait(lock, [this] { return running == 0; });
  }
};

template <class T>
std::vector<T> numbers(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  std::vector<T> result(array.Length());
  for (uint32_t i = 0; i < array.Length(); i++) result[i] = (T)array.Get(i).As<Napi::Number>().DoubleValue();
  return result;
}

int64_t field(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsNumber()) throw Napi::TypeError::New(object.Env(), std::string("expected a number for ") + name);
  return value.As<Napi::Number>().Int64Value();
}

void* bytes_of(const Napi::Value& value, size_t& bytes) {
  const auto array = value.As<Napi::TypedArray>();
  bytes = array.ByteLength();
  return static_cast<char*>(array.ArrayBuffer().Data()) + array.ByteOffset();
}

class PlanObject : public Napi::ObjectWrap<PlanObject> {
 public:
  explicit PlanObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PlanObject>(info) {
    const int threads = info[0].As<Napi::Number>().Int32Value();
    guard(info, [&] { plan = std::make_shared<Plan>(threads); });
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
  std::shared_ptr<Plan> plan;
  bool running = false;

  // Turns a C++ exception into a JavaScript one.
  template <class Body>
  void guard(const Napi::CallbackInfo& info, Body body) {
    try {
      body();
    } catch (const Napi::Error&) {
      throw;
    } catch (const std::exception& e) {
      throw Napi::Error::New(info.Env(), e.what());
    }
  }

  Plan& idle(const Napi::CallbackInfo& info) {
    if (!plan) throw Napi::Error::New(info.Env(), "this program is disposed");
    if (running) throw Napi::Error::New(info.Env(), "a run is under way: await it first");
    return *plan;
  }

  static Napi::Value describe(Napi::Env env, const fovea::PrimitiveInfo& p) {
    auto result = Napi::Object::New(env);
    result.Set("id", p.id);
    result.Set("weightsLayout", p.weights_layout);
    result.Set("weightsBytes", (double)p.weights_bytes);
    result.Set("scratchpadBytes", (double)p.scratchpad_bytes);
    result.Set("implementation", p.implementation);
    return result;
  }

  // layout(type, shape, groups, tiled) → { layout, bytes } of the weights
  Napi::Value layout(const Napi::CallbackInfo& info) {
    auto result = Napi::Object::New(info.Env());
    guard(info, [&] {
      const int64_t type = info[0].As<Napi::Number>().Int64Value(), groups = info[2].As<Napi::Number>().Int64Value();
      const std::vector<int64_t> shape = numbers<int64_t>(info[1]);
      auto& primitives = idle(info).primitives;
      const bool tiled = info[3].As<Napi::Boolean>().Value();
      const int id = tiled ? primitives.tiled_layout(type, shape) : primitives.plain_layout(type, shape, groups);
      result.Set("layout", id);
      result.Set("bytes", (double)plan->primitives.layout_bytes(id));
    });
    return result;
  }

  // convolution(spec) → PrimitiveInfo
  Napi::Value convolution(const Napi::CallbackInfo& info) {
    const auto o = info[0].As<Napi::Object>();
    Napi::Value result;
    guard(info, [&] {
      const fovea::ConvolutionSpec spec{
          (fovea::Direction)field(o, "direction"), field(o, "type"), field(o, "batch"), field(o, "inChannels"),
          field(o, "inHeight"), field(o, "inWidth"), field(o, "outChannels"), field(o, "outHeight"), field(o, "outWidth"),
          field(o, "kernelHeight"), field(o, "kernelWidth"), field(o, "strideY"), field(o, "strideX"), field(o, "top"),
          field(o, "bottom"), field(o, "left"), field(o, "right"), field(o, "dilationY"), field(o, "dilationX"),
          field(o, "groups"), field(o, "bias") != 0, field(o, "activation"), field(o, "sum") != 0, field(o, "threads"),
          field(o, "winograd") != 0, field(o, "fixedWeights") != 0};
      result = describe(info.Env(), idle(info).primitives.convolution(spec));
    });
    return result;
  }

  // reorder(fromLayout, toLayout, threads) → PrimitiveInfo
  Napi::Value reorder(const Napi::CallbackInfo& info) {
    Napi::Value result;
    guard(info, [&] {
      result = describe(info.Env(), idle(info).primitives.reorder(info[0].As<Napi::Number>().Int32Value(),
                                                                  info[1].As<Napi::Number>().Int32Value(),
                                                                  info[2].As<Napi::Number>().Int32Value()));
    });
    return result;
  }

  static fovea::Loop loop_of(const Napi::Object& object) {
    fovea::Loop loop;
    loop.slices = field(object, "slices");
    loop.images_per_slice = field(object, "imagesPerSlice");
    loop.zeroed = numbers<int>(object.Get("zeroed"));
    const auto steps = object.Get("steps").As<Napi::Array>();
    for (uint32_t i = 0; i < steps.Length(); i++) {
      const auto from = steps.Get(i).As<Napi::Object>();
      fovea::Step step;
      step.once = from.Get("once").ToBoolean();
      const auto buffers = numbers<int>(from.Get("buffers"));
      const auto strides = numbers<double>(from.Get("strides"));
      for (size_t k = 0; k < buffers.size(); k++) step.operands.push_back({buffers[k], (size_t)strides.at(k)});
      if (from.Has("primitive")) {
        step.primitive = (int)field(from, "primitive");
      } else {
        step.kernel = from.Get("kernel").As<Napi::String>();
        step.ints = numbers<int64_t>(from.Get("ints"));
        step.floats = numbers<double>(from.Get("floats"));
      }
      loop.steps.push_back(std::move(step));
    }
    return loop;
  }

  // build(arenaBytes, stateBytes, places [[state, offset, bytes, threadStride] …],
  //       loops [{ slices, imagesPerSlice, zeroed, steps [{ kernel | primitive, buffers, strides, ints, floats, once }] }])
  Napi::Value build(const Napi::CallbackInfo& info) {
    guard(info, [&] {
      Plan& p = idle(info);
      std::vector<fovea::Place> places;
      const auto list = info[2].As<Napi::Array>();
      for (uint32_t i = 0; i < list.Length(); i++) {
        const auto n = numbers<double>(list.Get(i));
        places.push_back({n.at(0) != 0, (size_t)n.at(1), (size_t)n.at(2), (size_t)n.at(3)});
      }
      p.allocate((size_t)info[0].As<Napi::Number>().DoubleValue(), (size_t)info[1].As<Napi::Number>().DoubleValue(),
                 std::move(places));
      const auto loops = info[3].As<Napi::Array>();
      for (uint32_t i = 0; i < loops.Length(); i++) p.add(loop_of(loops.Get(i).As<Napi::Object>()));
    });
    return info.Env().Undefined();
  }

  // run(feeds [[buffer, array] …], outputs [[buffer, array] …], profile, refresh) → Promise
  Napi::Value run(const Napi::CallbackInfo& info) {
    idle(info);
    struct Job {
      std::shared_ptr<Plan> plan;
      std::vector<fovea::Transfer> feeds, outputs;
      Napi::Promise::Deferred deferred;
      Napi::ObjectReference self;
      Napi::Reference<Napi::Array> keep_feeds, keep_outputs;
      Napi::ThreadSafeFunction done;
      bool profile, refresh;
      std::string error;
    };
    auto* job = new Job{plan, {}, {}, Napi::Promise::Deferred::New(info.Env()), {}, {}, {}, {}, false, false, {}};
    std::unique_ptr<Job> owner(job);
    const auto transfers = [&](const Napi::Value& value, std::vector<fovea::Transfer>& to) {
      const auto list = value.As<Napi::Array>();
      for (uint32_t i = 0; i < list.Length(); i++) {
        const auto pair = list.Get(i).As<Napi::Array>();
        size_t bytes;
        void* host = bytes_of(pair.Get(1u), bytes);
        const int buffer = pair.Get(0u).As<Napi::Number>().Int32Value();
        plan->at(buffer, bytes);
        to.push_back({buffer, host, bytes});
      }
    };
    guard(info, [&] {
      transfers(info[0], job->feeds);
      transfers(info[1], job->outputs);
    });
    job->self = Napi::Persistent(info.This().As<Napi::Object>());
    job->keep_feeds = Napi::Persistent(info[0].As<Napi::Array>());
    job->keep_outputs = Napi::Persistent(info[1].As<Napi::Array>());
    job->done = Napi::ThreadSafeFunction::New(
        info.Env(), Napi::Function::New(info.Env(), [](const Napi::CallbackInfo&) {}), "fovea run", 0, 1);
    job->profile = info[2].ToBoolean();
    job->refresh = info[3].ToBoolean();
    running = true;
    const auto promise = job->deferred.Promise();
    owner.release();
    auto* environment = info.Env().GetInstanceData<Environment>();
    environment->begin();
    environment->runner->post([job, environment] {
      try {
        job->plan->run(job->feeds, job->outputs, job->profile, job->refresh);
      } catch (const std::exception& e) {
        job->error = e.what();
      }
      auto done = job->done;
      // Refused only where the environment is ending: the job then stays, since its references die with that anyway.
      done.BlockingCall(job, [](Napi::Env env, Napi::Function, Job* finished) {
        std::unique_ptr<Job> last(finished);
        Unwrap(last->self.Value())->running = false;
        if (last->error.empty()) {
          last->deferred.Resolve(env.Undefined());
        } else {
          last->deferred.Reject(Napi::Error::New(env, last->error).Value());
        }
      });
      done.Release();
      environment->end();
    });
    return promise;
  }

  // read(buffer, layout, plainLayout, target); layouts of -1: a plain copy
  Napi::Value read(const Napi::CallbackInfo& info) {
    guard(info, [&] { transfer(info, true); });
    return info.Env().Undefined();
  }
  // write(buffer, layout, plainLayout, source)
  Napi::Value write(const Napi::CallbackInfo& info) {
    guard(info, [&] { transfer(info, false); });
    return info.Env().Undefined();
  }
  void transfer(const Napi::CallbackInfo& info, bool reading) {
    Plan& p = idle(info);
    const int buffer = info[0].As<Napi::Number>().Int32Value(), layout = info[1].As<Napi::Number>().Int32Value();
    const int plain = info[2].As<Napi::Number>().Int32Value();
    size_t bytes;
    void* host = bytes_of(info[3], bytes);
    if (layout == plain) {
      void* native = p.at(buffer, bytes);
      reading ? memcpy(host, native, bytes) : memcpy(native, host, bytes);
      return;
    }
    if (bytes != p.primitives.layout_bytes(plain)) throw std::invalid_argument("plan: wrong length of a state");
    void* native = p.at(buffer, p.primitives.layout_bytes(layout));
    reading ? p.primitives.convert(layout, native, plain, host) : p.primitives.convert(plain, host, layout, native);
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

  Napi::Value dispose(const Napi::CallbackInfo& info) {
    if (running) throw Napi::Error::New(info.Env(), "a run is under way: await it first");
    plan.reset();
    return info.Env().Undefined();
  }
};

Napi::Value about(const Napi::CallbackInfo& info) {
  auto result = Napi::Object::New(info.Env());
  result.Set("version", fovea::onednn_version());
  result.Set("instructionSet", fovea::instruction_set());
  result.Set("bfloat16Cost", fovea::bfloat16_cost());
  result.Set("threadLimit", fovea::thread_limit());
  return result;
}

Napi::Object start(Napi::Env env, Napi::Object exports) {
  exports.Set("info", Napi::Function::New(env, about));
  exports.Set("Plan", PlanObject::define(env));
  auto* environment = new Environment;
  env.SetInstanceData<Environment>(environment);
  env.AddCleanupHook([environment] { environment->wait(); });
  return exports;
}

}  // namespace

NODE_API_MODULE(fovea_onednn, start)
