// One Node environment (the main thread or a worker): its promises, its cancel flags, and its orderly shutdown. All
// communication from the engine's threads to Node's thread goes through here.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <utility>
#include <vector>

#include "binding/weak_list.h"
#include "engine/worker.h"
#include "model/cancel.h"

namespace parakeet {

// An object whose native state is freed on an engine thread: at close(), when it is garbage-collected, or when the
// environment ends.
class Resource {
 public:
  virtual ~Resource() = default;
  // On any thread: cancels what is running and queued for it.
  virtual void cancel() = 0;
  // On the thread of worker(): frees the state. May be called twice.
  virtual void release() = 0;
  virtual Worker& worker() = 0;
};

class Environment : public std::enable_shared_from_this<Environment> {
 public:
  static std::shared_ptr<Environment> of(Napi::Env env);
  // Once per environment, when the addon is loaded into it; registers the environment's end.
  static std::shared_ptr<Environment> create(Napi::Env env);

  struct Job;
  using Settle = std::function<Napi::Value(Napi::Env)>;
  // Runs `work` on `worker` and settles the returned promise on Node's thread: with what the function that it returns
  // makes, or with its exception. Work whose flag is already set does not start.
  Napi::Promise run(Napi::Env env, Worker& worker, CancelFlagPtr cancel, std::function<Settle()> work);

  // A promise that is settled by a batch. Call begin() on the worker, and if it returns true, then either resolve() or
  // reject(). If the flag is set, any failure is reported as an abort.
  class Deferred {
   public:
    bool begin();
    void resolve(Settle settle);
    void reject(std::exception_ptr failure);
    CancelFlag& cancel() const;

   private:
    friend class Environment;
    std::shared_ptr<Environment> environment_;
    std::shared_ptr<Job> job_;
  };
  std::pair<Napi::Promise, Deferred> defer(Napi::Env env, CancelFlagPtr cancel);

  // A cancel flag that cancelJob(job) sets while it lives; job 0 has none.
  CancelFlagPtr jobFlag(int job);
  void cancelJob(int job);

  void track(const std::weak_ptr<Resource>& resource);

  // Calls that the engine has not answered yet.
  size_t outstanding();

 private:
  explicit Environment(Napi::Env env);
  void complete(std::shared_ptr<Job> job);
  void drain(Napi::Env env);
  static void settle(Napi::Env env, Job& job);
  // Cancels what is running and frees what is left, once; nothing runs for this environment afterwards.
  void end();

  static void callJs(napi_env env, napi_value, void* context, void*);

  napi_threadsafe_function notify_ = nullptr;
  int pending_ = 0;  // promises not settled yet; Node's thread only

  std::mutex mutex_;
  std::condition_variable idle_;
  bool ending_ = false;
  int running_ = 0;  // jobs that run on some worker right now
  std::vector<std::shared_ptr<Job>> completed_;
  std::unordered_set<std::shared_ptr<Job>> outstanding_;  // jobs not completed yet: end() cancels them
  std::map<int, std::weak_ptr<CancelFlag>> jobs_;
  Pruning pruneJobs_;
  WeakList<Resource> resources_;
};

}  // namespace parakeet
