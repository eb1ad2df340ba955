// What waits for the engine's next batch: requests of many streams that one pass over the weights can serve. Nothing
// waits for company: whatever is there when the engine comes to it runs.
#pragma once

#include <deque>
#include <exception>
#include <functional>

#include "engine/worker.h"
#include "model/cancel.h"

namespace parakeet {

// Who waits for one result. Its functions may be called on the worker only.
template <class Result>
struct Waiter {
  CancelFlagPtr cancel;
  std::function<bool()> begin;  // false when nobody waits any more: then neither of the others is called
  std::function<void(Result, double seconds)> give;  // with the seconds of compute that were its share
  std::function<void(std::exception_ptr)> fail;
};

// A queue of requests in the order of their coming. Used on the worker only.
template <class Request>
class Batcher {
 public:
  // `run` takes some requests from the front, at least one, and settles them. What it leaves runs later, after the
  // worker's other tasks.
  Batcher(Worker& worker, std::function<void(std::deque<Request>&)> run) : worker_(worker), run_(std::move(run)) {}

  // What was posted to the worker before this call's turn runs before the batch.
  void add(Request request) {
    waiting_.push_back(std::move(request));
    schedule();
  }

 private:
  void schedule() {
    if (scheduled_ || waiting_.empty()) return;
    scheduled_ = true;
    worker_.post([this] {
      scheduled_ = false;
      run_(waiting_);
      schedule();
    });
  }

  Worker& worker_;
  std::function<void(std::deque<Request>&)> run_;
  std::deque<Request> waiting_;
  bool scheduled_ = false;
};

}  // namespace parakeet
