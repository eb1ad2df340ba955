// The queue for the engine's next batch: requests of many streams that one pass over the weights can serve. Whatever is
// queued when the engine gets to it runs.
#pragma once

#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "engine/clock.h"
#include "engine/worker.h"
#include "model/cancel.h"

namespace parakeet {

// The receiver of one result. Its functions may be called on the worker only.
template <class Result>
struct Waiter {
  CancelFlagPtr cancel;
  std::function<bool()> begin;  // false if the result is no longer wanted: then call neither of the others
  std::function<void(Result, double seconds)> give;  // with the request's share of the compute time
  std::function<void(std::exception_ptr)> fail;

  // Calls give() with what `work` returns, or fail() with what it throws. `seconds` is called after the work.
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

// A queue of requests in order of arrival. Used on the worker only.
template <class Request>
class Batcher {
 public:
  // `run` takes at least one request from the front and settles it. The rest runs later, after the worker's other
  // tasks.
  Batcher(Worker& worker, std::function<void(std::deque<Request>&)> run) : worker_(worker), run_(std::move(run)) {}

  // Tasks already posted to the worker run before the batch.
  void add(Request request) {
    waiting_.push_back(std::move(request));
    schedule();
  }

 private:
  // Streams that ran in one batch send their next requests at about the same time, as fast as JavaScript handles them.
  // So the first request waits up to this long for as many as the last batch had; a single stream does not wait.
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
        return post();  // behind requests that came meanwhile
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
