// One native thread that runs all plans, one after another: libgomp keeps a pool for each thread that opens a parallel
// region, so hopping between libuv's threads would cost a pool each.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace fovea {

class Runner {
 public:
  // The one piece of global state: the environments of a process (its main thread's and its workers') share a runner,
  // which ends with the last of them.
  static std::shared_ptr<Runner> shared();
  Runner();
  ~Runner();
  void post(std::function<void()> job);

 private:
  void loop();
  std::mutex mutex;
  std::condition_variable ready;
  std::deque<std::function<void()>> jobs;
  bool stopping = false;
  std::thread thread;
};

}  // namespace fovea
