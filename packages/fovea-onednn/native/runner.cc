#include "runner.h"

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fovea {
namespace {

// Numbers below 2^-126 are zero on this thread and on those that it starts: x86 computes with them by microcode (a trained speednet was
// 40 times slower), and GELU, SiLU and small gradients give many.
void flush_subnormals() {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040);  // flush results to zero, read operands as zero
#elif defined(__aarch64__)
  uint64_t control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  __asm__ volatile("msr fpcr, %0" ::"r"(control | 1ull << 24));
#endif
}

}  // namespace

std::shared_ptr<Runner> Runner::shared() {
  static std::mutex mutex;
  static std::weak_ptr<Runner> current;
  std::lock_guard<std::mutex> lock(mutex);
  auto runner = current.lock();
  if (!runner) current = runner = std::make_shared<Runner>();
  return runner;
}

Runner::Runner() : thread([this] { loop(); }) {}

Runner::~Runner() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stopping = true;
  }
  ready.notify_one();
  thread.join();
}

void Runner::post(std::function<void()> job) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    jobs.push_back(std::move(job));
  }
  ready.notify_one();
}

void Runner::loop() {
  flush_subnormals();
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock<std::mutex> lock(mutex);
      ready.wait(lock, [this] { return stopping || !jobs.empty(); });
      if (jobs.empty()) return;
      job = std::move(jobs.front());
      jobs.pop_front();
    }
    job();
  }
}

}  // namespace fovea
