#include "calls.h"

#include <stdexcept>
#include <utility>

namespace fovea::onednn {

void Calls::add(dnnl::primitive primitive, std::vector<Argument> arguments) {
  calls.push_back({nullptr, std::move(primitive), std::move(arguments), {}});
}

void Calls::add(std::function<void(void* const*)> own) { calls.push_back({std::move(own), {}, {}, {}}); }

void Calls::bind(const dnnl::engine& engine, size_t threads, const std::vector<bool>& present) {
  for (auto& call : calls) {
    Bound bound;
    for (const auto& argument : call.arguments) {
      if (argument.buffer >= present.size()) throw std::invalid_argument("onednn: a primitive lacks a buffer");
      bound.handles.push_back(nullptr);
    }
    call.bound.assign(threads, bound);
    for (auto& own : call.bound) {
      for (const auto& [name, buffer, layout, offset] : call.arguments) {
        if (present[buffer] && layout != dnnl::memory::desc()) own.values.emplace(name, dnnl::memory(layout, engine, nullptr));
      }
    }
  }
}

void Calls::execute(int thread, void* const* buffers, dnnl::stream& stream) {
  for (auto& [own, primitive, arguments, bound] : calls) {
    if (own) {
      own(buffers);
      continue;
    }
    auto& [values, handles] = bound[thread];
    for (size_t i = 0; i < arguments.size(); i++) {
      const auto& [name, buffer, layout, offset] = arguments[i];
      void* const handle = buffers[buffer] ? (char*)buffers[buffer] + offset : nullptr;
      if (!handle || handles[i] == handle) continue;
      handles[i] = handle;
      const auto value = values.find(name);
      if (value != values.end()) value->second.set_data_handle(handle);
    }
    primitive.execute(stream, values);
  }
}

}  // namespace fovea::onednn
