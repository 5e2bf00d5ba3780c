#include "plan.h"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include <sys/mman.h>

namespace fovea {

// Mapped rather than taken from malloc: the kernel gives zeroed pages lazily, and huge ones where it can.
Block::Block(size_t size) : memory(nullptr), bytes(size) {
  if (size == 0) return;
  void* p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::runtime_error("cannot take " + std::to_string(size) + " bytes of memory");
#ifdef MADV_HUGEPAGE
  madvise(p, size, MADV_HUGEPAGE);
#endif
  memory = static_cast<char*>(p);
}

Block::~Block() {
  if (memory) munmap(memory, bytes);
}

const KernelEntry* best_kernels() {
#if defined(__x86_64__)
  const char* wish = std::getenv("FOVEA_ISA");
  const std::string most = wish ? wish : "avx512";
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx512 && most == "avx512") return kernels_avx512();
  if (avx2 && most != "generic") return kernels_avx2();
#endif
  return kernels_generic();
}

Plan::Plan(int threads) : threads(threads), kernels(best_kernels()) {}

void Plan::allocate(size_t arena_bytes, size_t state_bytes, std::vector<Place> all) {
  for (const Place& p : all) {
    const size_t limit = p.state ? state_bytes : arena_bytes;
    if (p.offset % 64 != 0 || p.offset > limit || p.bytes > limit - p.offset) {
      throw std::invalid_argument("plan: a buffer lies outside its block");
    }
  }
  places = std::move(all);
  arena = std::make_unique<Block>(arena_bytes);
  state = std::make_unique<Block>(state_bytes);
}

void* Plan::at(int buffer, size_t bytes) const {
  const Place& p = places.at(buffer);
  if (bytes > p.bytes) throw std::invalid_argument("plan: a transfer is larger than its buffer");
  return (p.state ? state : arena)->data() + p.offset;
}

std::vector<void*> Plan::pointers(const std::vector<int>& buffers) const {
  std::vector<void*> result;
  for (int b : buffers) result.push_back(b < 0 ? nullptr : at(b, 0));
  return result;
}

void Plan::add_kernel(const std::string& name, const std::vector<int>& buffers, std::vector<int64_t> ints,
                      std::vector<double> floats, bool once) {
  for (const KernelEntry* k = kernels; k->name; k++) {
    if (name != k->name) continue;
    Step step;
    step.kernel = name;
    step.once = once;
    step.run = k->run;
    step.buffers = pointers(buffers);
    step.ints = std::move(ints);
    step.floats = std::move(floats);
    steps.push_back(std::move(step));
    return;
  }
  throw std::invalid_argument("plan: there is no kernel '" + name + "'");
}

void Plan::add_primitive(int id, const std::vector<int>& buffers, bool once) {
  Step step;
  step.kernel = "primitive";
  step.once = once;
  step.primitive = id;
  primitives.bind(id, pointers(buffers));
  steps.push_back(std::move(step));
}

void Plan::run(const std::vector<Transfer>& feeds, const std::vector<Transfer>& outputs, bool profiling, bool refresh) {
  using clock = std::chrono::steady_clock;
  for (const Transfer& f : feeds) memcpy(at(f.buffer, f.bytes), f.host, f.bytes);
  for (Step& step : steps) {
    if (step.once && !refresh) continue;
    const auto start = profiling ? clock::now() : clock::time_point();
    if (step.primitive >= 0) {
      primitives.execute(step.primitive);
    } else {
      step.run({step.buffers.data(), step.ints.data(), step.floats.data(), threads});
    }
    if (profiling) step.seconds += std::chrono::duration<double>(clock::now() - start).count();
  }
  for (const Transfer& o : outputs) memcpy(o.host, at(o.buffer, o.bytes), o.bytes);
}

}  // namespace fovea
