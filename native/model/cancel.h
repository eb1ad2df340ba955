// A flag that one thread sets and running work looks at between layers. Not a way to interrupt a kernel.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "error.h"

namespace parakeet {

class CancelFlag {
 public:
  void cancel() {
    cancelled_.store(true, std::memory_order_relaxed);
    const std::lock_guard lock(mutex_);
    if (shared_) shared_->cancel();
  }
  // Cancels `shared` too from now on, at once if it is cancelled already; null for no more of that.
  void share(CancelFlag* shared) {
    {
      const std::lock_guard lock(mutex_);
      shared_ = shared;
    }
    if (shared && cancelled()) shared->cancel();
  }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  // For operations that look at it by themselves.
  const std::atomic<bool>& flag() const noexcept { return cancelled_; }
  // Throws Aborted once cancelled.
  void check() const {
    if (cancelled()) throw Aborted();
  }

 private:
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;
  CancelFlag* shared_ = nullptr;
};

using CancelFlagPtr = std::shared_ptr<CancelFlag>;

}  // namespace parakeet
