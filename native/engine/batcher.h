// What waits for the engine's next batch: requests of many streams that one pass over the weights can serve. Nothing
// waits for company: whatever is there when the engine comes to it runs.
#pragma once

#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

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

  // Gives what `work` returns, or fails with what it throws: one of the two, once. `seconds` is asked after the work.
  template <class Work, class Seconds>
  void settle(Work work, Seconds seconds) const {
    std::optional<Result> result;
    try {
      result.emplace(work());
    } catch (...) {
      return fail(std::current_exception());
    }
    give(std::move(*result), seconds());
  }
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
  using Clock = std::chrono::steady_clock;
  // Those who were served together ask again together, within the time that JavaScript needs for all of them. The first
  // of them is not worth a batch of its own, so it waits this long for as many as there were last time; alone it waits
  // for nobody.
  static constexpr std::chrono::microseconds patience{2000}, nap{200};

  void schedule() {
    if (scheduled_ || waiting_.empty()) return;
    scheduled_ = true;
    deadline_ = Clock::now() + patience;
    post();
  }

  void post() {
    worker_.post([this] {
      if (waiting_.size() < expected_ && Clock::now() < deadline_) {
        std::this_thread::sleep_for(nap);
        return post();  // behind what came meanwhile
      }
      scheduled_ = false;
      const size_t before = waiting_.size();
      run_(waiting_);
      expected_ = before - waiting_.size();
      schedule();
    });
  }

  Worker& worker_;
  std::function<void(std::deque<Request>&)> run_;
  std::deque<Request> waiting_;
  bool scheduled_ = false;
  size_t expected_ = 1;  // served together last time
  Clock::time_point deadline_;
};

}  // namespace parakeet
