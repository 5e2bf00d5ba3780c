// One environment of Node (the main thread's or a worker's) and the runs of its plans: they go to the runner, and their
// results come back to its thread. It may end at any time, also in the middle of a run.
//
// A run touches no memory of JavaScript's: arrays are copied into and out of a plan's buffers before and after it, on the
// environment's own thread. So all that a run holds is its plan and, for that thread alone, its promise.
#pragma once
#include <napi.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>

#include "plan.h"
#include "runner.h"

namespace fovea {

class Environment {
 public:
  // @throws Napi::Error, std::system_error where there is no thread to be had
  explicit Environment(Napi::Env env);

  // Cuts short the runs that are under way, and waits for them: none touches anything afterwards.
  void stop();

  // Starts a run of a plan that is idle. The plan is busy until the promise, which this returns, is settled.
  Napi::Value run(Napi::Env env, std::shared_ptr<Plan> plan, bool profile, bool refresh);

 private:
  struct Job;
  void work(Job* job);
  void end();
  static void settle(napi_env env, napi_value, void* context, void* data);

  const std::shared_ptr<Runner> runner;
  napi_threadsafe_function settled = nullptr;  // keeps the event loop alive while there are unsettled promises
  size_t unsettled = 0;
  std::mutex mutex;  // of what follows
  std::condition_variable idle;
  std::set<Plan*> running;  // with those that wait for their turn
};

}  // namespace fovea
