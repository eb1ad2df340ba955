// Native state owned by a JavaScript object: used and freed on one worker thread.
#pragma once

#include <exception>
#include <functional>
#include <memory>

#include "binding/environment.h"
#include "engine/engine.h"
#include "error.h"
#include "model/cancel.h"

namespace parakeet {

template <class State>
class Handle : public Resource {
 public:
  explicit Handle(Worker& worker) : worker_(worker) {}

  void cancel() override { cancel_->cancel(); }
  void release() override {
    released_ = true;
    state_.reset();
  }
  Worker& worker() override { return worker_; }
  const CancelFlagPtr& flag() const { return cancel_; }

  // On Node's thread: a call was made of the worker, and its answer has come. One that fails is never answered.
  void asked() { unanswered_++; }
  void answered() {
    unanswered_--;
    made_ = true;
  }
  // On Node's thread. Whether the worker has nothing to do for the handle: then the state may be used on Node's thread,
  // until the next call.
  bool idle() const { return made_ && unanswered_ == 0 && !cancel_->cancelled(); }

  // On the worker. Makes the state, unless the handle has already been released. A failure is thrown by state() from
  // then on.
  void construct(const std::function<std::unique_ptr<State>()>& make) {
    if (released_) return;
    try {
      state_ = make();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
  // On the worker.
  bool open() const { return state_ != nullptr; }
  // On the worker, or while idle(). Throws ERR_PARAKEET_CLOSED after release().
  State& state() const {
    if (failure_) std::rethrow_exception(failure_);
    if (!state_) throw Error("ERR_PARAKEET_CLOSED", "Expected an open object but it was closed");
    return *state_;
  }
  // On the worker. Null when there is none; throws if making it failed.
  State* stateIfOpen() const {
    if (failure_) std::rethrow_exception(failure_);
    return state_.get();
  }

 private:
  Worker& worker_;
  CancelFlagPtr cancel_ = std::make_shared<CancelFlag>();
  // Node's thread only.
  int unanswered_ = 0;
  bool made_ = false;
  // Touched on the worker; on Node's thread while idle().
  std::unique_ptr<State> state_;
  std::exception_ptr failure_;
  bool released_ = false;
};

// A handle whose state is made on its worker, before anything else that is posted for it.
template <class State>
std::shared_ptr<Handle<State>> makeHandle(Worker& worker, std::function<std::unique_ptr<State>()> make) {
  auto handle = std::make_shared<Handle<State>>(worker);
  worker.post([handle, make = std::move(make)] { handle->construct(make); });
  return handle;
}

// Cancels what is running for the handle and frees its state on its worker; the promise settles when that is done.
inline Napi::Promise closeHandle(Napi::Env env, const std::shared_ptr<Resource>& handle) {
  handle->cancel();
  return Environment::of(env)->run(env, handle->worker(), std::make_shared<CancelFlag>(), [handle] {
    handle->release();
    return Environment::Settle();
  });
}

// For a JavaScript object that was collected without being closed.
inline void abandonHandle(std::shared_ptr<Resource> handle) {
  handle->cancel();
  Worker& worker = handle->worker();
  worker.post([handle = std::move(handle)] { handle->release(); });
}

}  // namespace parakeet
