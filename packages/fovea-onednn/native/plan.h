// A plan is a list of loops over steps, over buffers at fixed places in two blocks of memory: the arena, whose content
// lives for one run, and the state, which lives on. TypeScript made every decision; this only executes.
#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "onednn.h"
#include "signature.h"

namespace fovea {

// 64-byte aligned memory, zeroed; pages are taken from the system when first touched.
class Block {
 public:
  explicit Block(size_t bytes);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  char* data() const { return memory; }

 private:
  char* memory;
  size_t bytes;
};

// A buffer: so many bytes in one of the blocks, once (stride 0) or for each thread, a stride apart.
struct Place {
  bool state;
  size_t offset, bytes, thread_stride;
};

// What a step reads or writes: a buffer (-1 for none), and how far its pointer moves from slice to slice.
struct Operand {
  int buffer;
  size_t slice_stride;
};

struct Step {
  int number = 0;  // in the order of the plan
  std::string kernel;
  int primitive = -1;  // a oneDNN primitive's number instead of a kernel
  bool once = false;   // depends on unchanging state only: runs when that was written
  KernelFunction run = nullptr;
  std::vector<Operand> operands;
  std::vector<size_t> thread_strides;  // of each
  std::vector<int64_t> ints;
  std::vector<double> floats;
};

// One execution of a step, in the last profiled run; times in seconds, from the run's begin.
struct Event {
  int step, thread;
  double start, duration;
};

// With slices, each thread takes its share of the slices of the batch and does all steps on one slice after another, so
// that what one step writes is still in the cache when the next reads it. Without (0), the threads share each step.
struct Loop {
  int64_t slices = 0, images_per_slice = 0;
  std::vector<int> zeroed;  // buffers that each thread clears first
  std::vector<Step> steps;
};

class Plan {
 public:
  explicit Plan(int threads);
  Primitives primitives;
  const int threads;

  // Once. Checks that every buffer lies in its block, every operand in its buffer, for every slice, and that every step holds
  // what its kernel takes (signature.h).
  void build(size_t arena_bytes, size_t state_bytes, std::vector<Place> places, std::vector<Loop> loops);
  void check_built() const;
  // Checked: the buffer has so many bytes.
  void* at(int buffer, size_t bytes) const;
  void run(bool profile, bool refresh);
  // From any thread, for good: a run under way ends early, and fails.
  void cancel() { cancelled = true; }
  bool busy = false;  // for those who start runs: one is under way or waits for its turn
  std::vector<Event> events() const;

 private:
  using Clock = std::chrono::steady_clock;
  const Place& place(int buffer) const;  // checked
  Room room(const Operand& operand, int64_t slices) const;  // checked
  void add(Loop loop);
  void run_shared(Loop& loop, bool refresh);
  void run_sliced(Loop& loop);
  void execute(const Step& step, int64_t slice, int64_t first_image, int thread, int team);
  const KernelFunction* kernels;
  std::vector<Place> places;
  std::vector<char*> bases;
  std::vector<Loop> loops;
  int step_count = 0;
  bool built = false;
  std::atomic<bool> cancelled{false};
  std::unique_ptr<Block> arena, state;
  bool profiling = false;
  Clock::time_point begun;
  std::vector<std::vector<Event>> events_of;  // by thread
};

// The kernels of the best instruction set this processor has; FOVEA_ISA=sse|avx2|avx512|avx512_bf16 lowers it for
// tests, and generic stands for one that oneDNN has no convolutions for, too.
const KernelFunction* best_kernels();

// As many threads as OpenMP gives this process, by its environment.
int thread_limit();

}  // namespace fovea
