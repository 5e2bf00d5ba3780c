// What JavaScript calls: it lays a plan into memory (fovea-wasm/src/lay-plan.ts writes these structs, word by word), and runs it.
// TypeScript made every decision; this only executes.
#include "interface.h"
#include "kernels/table.h"
#include "team.h"

namespace {

struct Operand {
  char* base;  // nullptr where an optional one is absent
  uint32_t slice_stride;
};

struct Step {
  uint32_t kernel;  // its place in the table
  uint32_t once;    // depends on unchanging state only: runs when that was written
  uint32_t operand_count;
  const Operand* operands;
  const size_t* thread_strides;
  const int64_t* ints;
  const double* floats;
};

// What each thread clears before a loop.
struct Cleared {
  char* base;
  uint32_t bytes, thread_stride;
};

// With slices, each thread takes its share of the slices of the batch and does all steps on one slice after another. Without (0),
// the threads share each step.
struct Loop {
  uint32_t slices, images_per_slice;
  uint32_t cleared_count;
  const Cleared* cleared;
  uint32_t step_count;
  const Step* steps;
};

struct Plan {
  uint32_t loop_count;
  const Loop* loops;
  uint32_t threads;
  uint32_t cancelled;  // by another thread, at any time
};

constexpr int kMostOperands = 24;

bool cancelled(const Plan& plan) { return __atomic_load_n(&plan.cancelled, __ATOMIC_SEQ_CST) != 0; }

void execute(const Step& step, uint32_t slice, int64_t first_image, int thread, int threads) {
  void* buffers[kMostOperands];
  for (uint32_t i = 0; i < step.operand_count; i++) {
    const Operand& o = step.operands[i];
    buffers[i] = o.base ? o.base + o.slice_stride * slice + step.thread_strides[i] * (size_t)thread : nullptr;
  }
  kTable[step.kernel]({buffers, step.thread_strides, step.ints, step.floats, threads, first_image});
}

void clear(const Loop& loop, int thread) {
  for (uint32_t i = 0; i < loop.cleared_count; i++) {
    const Cleared& c = loop.cleared[i];
    memset(c.base + c.thread_stride * (size_t)thread, 0, c.bytes);
  }
}

void run_shared(const Plan& plan, const Loop& loop, bool refresh) {
  for (uint32_t t = 0; t < plan.threads; t++) clear(loop, (int)t);
  for (uint32_t i = 0; i < loop.step_count && !cancelled(plan); i++) {
    if (!loop.steps[i].once || refresh) execute(loop.steps[i], 0, 0, 0, (int)plan.threads);
  }
}

void run_sliced(const Plan& plan, const Loop& loop) {
  parallel(plan.threads, 1, (int)plan.threads, [&](int64_t begin, int64_t end, int) {
    for (int64_t thread = begin; thread < end; thread++) {
      clear(loop, (int)thread);
      const uint32_t last = loop.slices * (uint32_t)(thread + 1) / plan.threads;
      for (uint32_t slice = loop.slices * (uint32_t)thread / plan.threads; slice < last && !cancelled(plan); slice++) {
        for (uint32_t i = 0; i < loop.step_count; i++) {
          execute(loop.steps[i], slice, (int64_t)slice * loop.images_per_slice, (int)thread, 1);
        }
      }
    }
  });
}

}  // namespace

extern "C" {

// Of the table of kernels that this was built with.
__attribute__((export_name("interface"))) uint32_t interface_hash() { return FOVEA_INTERFACE; }

// Runs a plan to its end, or until it is cancelled. On thread 0.
__attribute__((export_name("run"))) void run(const Plan* plan, int refresh) {
  for (uint32_t i = 0; i < plan->loop_count && !cancelled(*plan); i++) {
    const Loop& loop = plan->loops[i];
    loop.slices > 0 ? run_sliced(*plan, loop) : run_shared(*plan, loop, refresh != 0);
  }
  end_team();
}

}
