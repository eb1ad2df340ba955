// A flag that one thread sets and running work looks at between layers. Not a way to interrupt a kernel.
#pragma once

#include <atomic>
#include <memory>

#include "model/error.h"

namespace parakeet {

class CancelFlag {
 public:
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  // Throws Aborted once cancelled.
  void check() const {
    if (cancelled()) throw Aborted();
  }

 private:
  std::atomic<bool> cancelled_{false};
};

using CancelFlagPtr = std::shared_ptr<CancelFlag>;

}  // namespace parakeet
