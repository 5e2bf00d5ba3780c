#include "runner.h"

namespace fovea {

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
