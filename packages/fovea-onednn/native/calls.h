// A primitive of ours as calls of oneDNN's, one after another, each on parts of the buffers that it is given.
#pragma once
#include <cstddef>
#include <dnnl.hpp>
#include <functional>
#include <unordered_map>
#include <vector>

namespace fovea::onednn {

// What a call reads or writes: `layout`, from so many bytes of a buffer on. An empty layout stands for what there is none of.
struct Argument {
  int name;  // DNNL_ARG_*
  size_t buffer;
  dnnl::memory::desc layout;
  size_t offset = 0;
};

class Calls {
 public:
  void add(dnnl::primitive primitive, std::vector<Argument> arguments);
  // A step of our own, which is given all buffers.
  void add(std::function<void(void* const*)> own);
  // So many threads may execute at the same time; `present` says which buffers there will be, by position.
  void bind(const dnnl::engine& engine, size_t threads, const std::vector<bool>& present);
  void execute(int thread, void* const* buffers, dnnl::stream& stream);

 private:
  // What a thread hands to a call: memory objects whose pointers are set before each execution.
  struct Bound {
    std::unordered_map<int, dnnl::memory> values;
    std::vector<void*> handles;  // by argument
  };
  struct Call {
    std::function<void(void* const*)> own;  // empty where there is a primitive
    dnnl::primitive primitive;
    std::vector<Argument> arguments;
    std::vector<Bound> bound;  // by thread
  };
  std::vector<Call> calls;
};

}  // namespace fovea::onednn
