#include "runner.h"

#include <omp.h>

namespace fovea {

Runner::Runner(int threads) : thread([this, threads] { loop(threads); }) {}

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

void Runner::loop(int threads) {
  omp_set_num_threads(threads);
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
