#include "environment.h"

#include <string>

namespace fovea {

struct Environment::Job {
  std::shared_ptr<Plan> plan;
  napi_deferred promise;
  bool profile, refresh;
  std::string error;
};

Environment::Environment(Napi::Env env) : runner(Runner::shared()) {
  napi_status status = napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "fovea run"), 0, 1,
                                                       nullptr, nullptr, this, settle, &settled);
  if (status == napi_ok) status = napi_unref_threadsafe_function(env, settled);
  // Hooks run in reverse order: this one before that of the function above, which then still takes calls.
  const auto hook = [](void* self) { static_cast<Environment*>(self)->end(); };
  if (status == napi_ok) status = napi_add_env_cleanup_hook(env, hook, this);
  if (status != napi_ok) throw Napi::Error::New(env);
  // Where the process exits within a step, Node calls no hook, and oneDNN's own data would go under its feet.
  const Napi::Object process = env.Global().Get("process").As<Napi::Object>();
  const auto at_exit = Napi::Function::New(env, [this](const Napi::CallbackInfo&) { stop(); });
  process.Get("once").As<Napi::Function>().Call(process, {Napi::String::New(env, "exit"), at_exit});
}

Napi::Value Environment::run(Napi::Env env, std::shared_ptr<Plan> plan, bool profile, bool refresh) {
  auto job = std::make_unique<Job>(Job{std::move(plan), nullptr, profile, refresh, {}});
  napi_value promise;
  if (napi_create_promise(env, &job->promise, &promise) != napi_ok) throw Napi::Error::New(env);
  {
    std::lock_guard<std::mutex> lock(mutex);
    running.insert(job->plan.get());
  }
  job->plan->busy = true;
  if (unsettled++ == 0) napi_ref_threadsafe_function(env, settled);
  runner->post([this, job = job.release()] { work(job); });
  return {env, promise};
}

// On the runner's thread.
void Environment::work(Job* job) {
  try {
    job->plan->run(job->profile, job->refresh);
  } catch (const std::exception& e) {
    job->error = e.what();
  }
  std::lock_guard<std::mutex> lock(mutex);
  running.erase(job->plan.get());
  // From here on the job belongs to the other thread, or to nobody if that takes no calls any more.
  if (napi_call_threadsafe_function(settled, job, napi_tsfn_nonblocking) != napi_ok) delete job;
  idle.notify_all();
}

// On the environment's thread. Without an environment, that has ended, and nobody waits for the promise. If it is about to
// end, a call may be refused: that is not our failure, and there is no one to tell.
void Environment::settle(napi_env env, napi_value, void* context, void* data) {
  const std::unique_ptr<Job> job(static_cast<Job*>(data));
  if (env == nullptr) return;
  auto* self = static_cast<Environment*>(context);
  if (--self->unsettled == 0) napi_unref_threadsafe_function(env, self->settled);
  job->plan->busy = false;
  napi_value result = nullptr, message;
  if (job->error.empty()) {
    napi_get_undefined(env, &result);
    napi_resolve_deferred(env, job->promise, result);
  } else if (napi_create_string_utf8(env, job->error.c_str(), job->error.size(), &message) == napi_ok &&
             napi_create_error(env, nullptr, message, &result) == napi_ok) {
    napi_reject_deferred(env, job->promise, result);
  }
}

void Environment::stop() {
  std::unique_lock<std::mutex> lock(mutex);
  for (Plan* plan : running) plan->cancel();
  idle.wait(lock, [this] { return running.empty(); });
}

// The environment ends, and its code may be unloaded next.
void Environment::end() {
  stop();
  napi_release_threadsafe_function(settled, napi_tsfn_abort);
}

}  // namespace fovea
