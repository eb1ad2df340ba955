#include "binding/environment.h"

#include <exception>

#include "binding/addon_data.h"
#include "binding/js_error.h"
#include "error.h"

namespace parakeet {
struct Environment::Job {
  explicit Job(Napi::Env env) : deferred(Napi::Promise::Deferred::New(env)) {}
  Napi::Promise::Deferred deferred;
  CancelFlagPtr cancel;
  Settle settle;
  std::exception_ptr failure;
};

std::shared_ptr<Environment> Environment::of(Napi::Env env) { return env.GetInstanceData<AddonData>()->environment; }

std::shared_ptr<Environment> Environment::create(Napi::Env env) {
  auto environment = std::shared_ptr<Environment>(new Environment(env));
  // process.exit() calls no cleanup hook of the main thread, but goes on to destroy the statics of MLX and oneDNN.
  const Napi::Object process = env.Global().Get("process").As<Napi::Object>();
  const auto onExit = [](const Napi::CallbackInfo& info) { Environment::of(info.Env())->end(); };
  process.Get("once").As<Napi::Function>().Call(process,
                                                {Napi::String::New(env, "exit"), Napi::Function::New(env, onExit)});
  // Hooks run in reverse order: this one before the one that tears the thread-safe function down.
  napi_add_env_cleanup_hook(
      env, [](void* self) { static_cast<Environment*>(self)->end(); }, environment.get());
  return environment;
}

Environment::Environment(Napi::Env env) {
  const Napi::String name = Napi::String::New(env, "parakeet");
  NAPI_THROW_IF_FAILED_VOID(env, napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr,
                                                                 this, &callJs, &notify_));
  napi_unref_threadsafe_function(env, notify_);
}

std::pair<Napi::Promise, Environment::Deferred> Environment::defer(Napi::Env env, CancelFlagPtr cancel) {
  Deferred deferred;
  deferred.environment_ = shared_from_this();
  deferred.job_ = std::make_shared<Job>(env);
  deferred.job_->cancel = std::move(cancel);
  {
    const std::lock_guard lock(mutex_);
    outstanding_.insert(deferred.job_);
  }
  if (pending_++ == 0) napi_ref_threadsafe_function(env, notify_);
  return {deferred.job_->deferred.Promise(), std::move(deferred)};
}

bool Environment::Deferred::begin() {
  const std::lock_guard lock(environment_->mutex_);
  if (environment_->ending_) return false;
  environment_->running_++;
  return true;
}

void Environment::Deferred::resolve(Settle settle) {
  job_->settle = std::move(settle);
  environment_->complete(job_);
}

void Environment::Deferred::reject(std::exception_ptr failure) {
  // Cancelled work may fail in any way; the caller gets an abort.
  job_->failure = job_->cancel->cancelled() ? std::make_exception_ptr(Aborted()) : std::move(failure);
  environment_->complete(job_);
}

CancelFlag& Environment::Deferred::cancel() const { return *job_->cancel; }

Napi::Promise Environment::run(Napi::Env env, Worker& worker, CancelFlagPtr cancel, std::function<Settle()> work) {
  auto [promise, deferred] = defer(env, std::move(cancel));
  worker.post([deferred = std::move(deferred), work = std::move(work)]() mutable {
    if (!deferred.begin()) return;
    Settle settle;
    try {
      deferred.cancel().check();
      settle = work();
    } catch (...) {
      work = nullptr;
      return deferred.reject(std::current_exception());
    }
    work = nullptr;  // what it held is freed before its promise settles
    deferred.resolve(std::move(settle));
  });
  return promise;
}

void Environment::complete(std::shared_ptr<Job> job) {
  const std::lock_guard lock(mutex_);
  running_--;
  outstanding_.erase(job);
  if (ending_) {
    idle_.notify_all();
    return;
  }
  completed_.push_back(std::move(job));
  napi_call_threadsafe_function(notify_, nullptr, napi_tsfn_nonblocking);
}

void Environment::callJs(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;  // the environment is being torn down
  static_cast<Environment*>(context)->drain(Napi::Env(env));
}

void Environment::drain(Napi::Env env) {
  std::vector<std::shared_ptr<Job>> completed;
  {
    const std::lock_guard lock(mutex_);
    completed.swap(completed_);
  }
  for (const auto& job : completed) {
    if (--pending_ == 0) napi_unref_threadsafe_function(env, notify_);
    try {
      settle(env, *job);
    } catch (const Napi::Error&) {
      // The environment is being terminated: no JavaScript can run, and the promise no longer matters.
    }
  }
}

void Environment::settle(Napi::Env env, Job& job) {
  const Napi::HandleScope scope(env);
  if (job.failure) {
    job.deferred.Reject(toJsError(env, job.failure));
    return;
  }
  try {
    job.deferred.Resolve(job.settle ? job.settle(env) : env.Undefined());
  } catch (...) {
    job.deferred.Reject(toJsError(env, std::current_exception()));
  }
}

CancelFlagPtr Environment::jobFlag(int job) {
  auto flag = std::make_shared<CancelFlag>();
  if (job == 0) return flag;
  const std::lock_guard lock(mutex_);
  pruneJobs_(jobs_, [](const auto& entry) { return entry.second.expired(); });
  jobs_[job] = flag;
  return flag;
}

void Environment::cancelJob(int job) {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return;
  if (const auto flag = found->second.lock()) flag->cancel();
}

void Environment::track(const std::weak_ptr<Resource>& resource) {
  const std::lock_guard lock(mutex_);
  resources_.add(resource);
}

size_t Environment::outstanding() {
  const std::lock_guard lock(mutex_);
  return outstanding_.size();
}

void Environment::end() {
  std::vector<std::shared_ptr<Resource>> resources;
  {
    std::unique_lock lock(mutex_);
    if (ending_) return;
    ending_ = true;
    for (const auto& job : outstanding_) job->cancel->cancel();
    idle_.wait(lock, [this] { return running_ == 0; });
    resources = resources_.alive();
    outstanding_.clear();
    completed_.clear();  // the results of these promises are among the resources
  }
  // Freed on their own threads. Waits for that, so that an environment that has ended holds nothing.
  int waiting = static_cast<int>(resources.size());
  std::mutex mutex;
  std::condition_variable done;
  for (auto& resource : resources) {
    Worker& worker = resource->worker();
    worker.postFirst([&, resource = std::move(resource)]() mutable {
      resource->release();
      resource.reset();
      const std::lock_guard lock(mutex);
      waiting--;
      done.notify_one();
    });
  }
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return waiting == 0; });
}

}  // namespace parakeet
