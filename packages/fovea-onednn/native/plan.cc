#include "plan.h"

#include "costs.h"

#include <omp.h>
#include <sys/mman.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>

namespace fovea {

namespace {
constexpr size_t kMostOperands = 24;
}

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

#if defined(__x86_64__)
// Whether there are matrix tiles of bfloat16 (AMX), and this process may use them: Linux gives their room on request only.
static bool has_tiles() {
#if defined(__linux__)
  constexpr unsigned kBfloat16 = 1u << 22, kTiles = 1u << 24;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  unsigned eax, ebx, ecx, edx = 0;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (edx & (kBfloat16 | kTiles)) != (kBfloat16 | kTiles)) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}
#endif

const KernelFunction* best_kernels() {
#if defined(__x86_64__)
  const char* wish = std::getenv("FOVEA_ISA");
  const std::string most = wish ? wish : "avx512_amx";
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  unsigned eax, ebx, ecx = 0, edx;  // not every compiler's __builtin_cpu_supports knows f16c
  const bool f16c = __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C);
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && f16c;
  const bool pairs = avx512 && __builtin_cpu_supports("avx512bf16");
  if (pairs && most == "avx512_amx" && has_tiles()) return kernels_avx512_amx();
  if (pairs && (most == "avx512_bf16" || most == "avx512_amx")) return kernels_avx512_bf16();
  if (avx512 && most.rfind("avx512", 0) == 0) return kernels_avx512();
  if (avx2 && most != "generic" && most != "sse") return kernels_avx2();
#endif
  return kernels_generic();
}

// Convolutions of ours are of the generic set alone.
Plan::Plan(int threads)
    : primitives(threads), threads(threads), kernels(has_convolutions() ? best_kernels() : kernels_generic()),
      events_of((size_t)threads) {}

void Plan::build(size_t arena_bytes, size_t state_bytes, std::vector<Place> all_places, std::vector<Loop> all_loops) {
  if (arena) throw std::logic_error("plan: it is built already");
  for (const Place& p : all_places) {
    const size_t limit = p.state ? state_bytes : arena_bytes;
    const size_t before_last = p.thread_stride * (size_t)(threads - 1);
    if (p.offset % 64 != 0 || p.thread_stride % 64 != 0 || p.offset > limit || p.thread_stride > limit ||
        before_last > limit - p.offset || p.bytes > limit - p.offset - before_last) {
      throw std::invalid_argument("plan: a buffer lies outside its block");
    }
  }
  places = std::move(all_places);
  arena = std::make_unique<Block>(arena_bytes);
  state = std::make_unique<Block>(state_bytes);
  for (const Place& p : places) bases.push_back((p.state ? state : arena)->data() + p.offset);
  for (Loop& loop : all_loops) add(std::move(loop));
  built = true;
}

void Plan::check_built() const {
  if (!built) throw std::logic_error("plan: it is not built");
}

const Place& Plan::place(int buffer) const {
  if (buffer < 0 || (size_t)buffer >= places.size()) {
    throw std::out_of_range("plan: there is no buffer " + std::to_string(buffer));
  }
  return places[buffer];
}

void* Plan::at(int buffer, size_t bytes) const {
  check_built();
  if (bytes != place(buffer).bytes) {
    throw std::invalid_argument("plan: a transfer of " + std::to_string(bytes) + " bytes, but buffer " + std::to_string(buffer) +
                                " has " + std::to_string(places[buffer].bytes));
  }
  return bases[buffer];
}

Room Plan::room(const Operand& operand, int64_t slices) const {
  if (operand.buffer < 0) return {false, 0, 0};
  const Place& p = place(operand.buffer);
  if (operand.slice_stride == 0) return {true, p.bytes, p.thread_stride};
  if (slices == 0 || operand.slice_stride > p.bytes / (size_t)slices) {
    throw std::invalid_argument("plan: the slices of a buffer are larger than it");
  }
  return {true, p.bytes - operand.slice_stride * (size_t)(slices - 1), p.thread_stride};
}

void Plan::add(Loop loop) {
  for (int buffer : loop.zeroed) place(buffer);
  for (Step& step : loop.steps) {
    if (step.operands.size() > kMostOperands) throw std::invalid_argument("plan: a step has too many operands");
    std::vector<Room> rooms;
    for (const Operand& o : step.operands) rooms.push_back(room(o, loop.slices));
    step.number = step_count++;
    if (step.primitive >= 0) {
      std::vector<bool> present;
      for (const Room& r : rooms) present.push_back(r.present);
      try {
        primitives.bind(step.primitive, present);
      } catch (const std::out_of_range&) {
        throw std::out_of_range("plan: there is no primitive " + std::to_string(step.primitive));
      }
      continue;
    }
    for (const Room& r : rooms) step.thread_strides.push_back(r.thread_stride);
    const size_t place = check_kernel(step.kernel, rooms, step.ints, step.floats, loop.slices == 0 ? threads : 1);
    if (place >= common_kernels() && kernels != kernels_generic()) {
      throw std::invalid_argument("plan: this instruction set has no kernel '" + step.kernel + "'");
    }
    step.run = kernels[place];
  }
  loops.push_back(std::move(loop));
}

void Plan::execute(const Step& step, int64_t slice, int64_t first_image, int thread, int team) {
  void* buffers[kMostOperands];
  for (size_t i = 0; i < step.operands.size(); i++) {
    const Operand& o = step.operands[i];
    if (o.buffer < 0) {
      buffers[i] = nullptr;
      continue;
    }
    buffers[i] = bases[o.buffer] + o.slice_stride * (size_t)slice + places[o.buffer].thread_stride * (size_t)thread;
  }
  const auto start = profiling ? Clock::now() : Clock::time_point();
  if (step.primitive >= 0) {
    primitives.execute(step.primitive, thread, buffers);
  } else {
    step.run({buffers, step.thread_strides.data(), step.ints.data(), step.floats.data(), team, first_image});
  }
  if (!profiling) return;
  const std::chrono::duration<double> before = start - begun, duration = Clock::now() - start;
  events_of[(size_t)thread].push_back({step.number, thread, before.count(), duration.count()});
}

void Plan::run_shared(Loop& loop, bool refresh) {
  for (int buffer : loop.zeroed) {
    for (int t = 0; t < threads; t++) memset(bases[buffer] + places[buffer].thread_stride * (size_t)t, 0, places[buffer].bytes);
  }
  for (Step& step : loop.steps) {
    if (cancelled) return;
    if (!step.once || refresh) execute(step, 0, 0, 0, threads);
  }
}

void Plan::run_sliced(Loop& loop) {
  std::exception_ptr failure;
#pragma omp parallel num_threads(threads)
  {
    // A share belongs to a number, not to a thread: the system may give fewer threads than asked for.
    for (int share = omp_get_thread_num(); share < threads; share += omp_get_num_threads()) {
      try {
        for (int buffer : loop.zeroed) {
          memset(bases[buffer] + places[buffer].thread_stride * (size_t)share, 0, places[buffer].bytes);
        }
        const int64_t end = loop.slices * (share + 1) / threads;
        for (int64_t slice = loop.slices * share / threads; slice < end && !cancelled; slice++) {
          for (Step& step : loop.steps) execute(step, slice, slice * loop.images_per_slice, share, 1);
        }
      } catch (...) {
#pragma omp critical
        failure = std::current_exception();
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
}

void Plan::run(bool profile, bool refresh) {
  profiling = profile;
  begun = Clock::now();
  if (profiling) {
    for (auto& events : events_of) events.clear();
  }
  // For oneDNN's own regions on this thread, which wait for ever for a thread that OMP_DYNAMIC took away.
  omp_set_num_threads(threads);
  omp_set_dynamic(0);
  for (Loop& loop : loops) {
    if (loop.slices > 0) {
      run_sliced(loop);
    } else {
      run_shared(loop, refresh);
    }
  }
  if (cancelled) throw std::runtime_error("this program is disposed");
}

int thread_limit() { return omp_get_max_active_levels() < 1 ? 1 : omp_get_thread_limit(); }

std::vector<Event> Plan::events() const {
  std::vector<Event> all;
  for (const auto& events : events_of) all.insert(all.end(), events.begin(), events.end());
  return all;
}

}  // namespace fovea
