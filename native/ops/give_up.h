// Cancellation of work that is already running on the CPU.
#pragma once

#include <atomic>

namespace parakeet::ops {

// While it lives, the CPU's operations check `flag` and stop early once it is set: their results are then garbage and
// must not be used. One at a time, on the engine's thread.
class GiveUpScope {
 public:
  explicit GiveUpScope(const std::atomic<bool>& flag);
  ~GiveUpScope();
  GiveUpScope(const GiveUpScope&) = delete;
  GiveUpScope& operator=(const GiveUpScope&) = delete;

 private:
  const std::atomic<bool>& flag_;
};

}  // namespace parakeet::ops
