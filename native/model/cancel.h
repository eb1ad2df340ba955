// A flag that one thread sets and running work checks between layers. Not a way to interrupt a kernel.
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
  // From now on also cancels `shared`, immediately if already cancelled; null ends that.
  void share(CancelFlag* shared) {
    {
      const std::lock_guard lock(mutex_);
      shared_ = shared;
    }
    if (shared && cancelled()) shared->cancel();
  }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  // For operations that check the flag themselves.
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
