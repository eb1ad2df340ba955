// The time of a device by part of the model (profile.h). Its operations are queued, so each part is awaited, and what
// has passed since the one before is its time. Nothing is awaited while the profile is off.
#pragma once

#include <mlx/mlx.h>

#include <chrono>
#include <vector>

#include "ops/profile.h"

namespace parakeet::ops {

class DeviceTimer {
 public:
  // What was queued since the last call, or since the timer was made, is `part`, and gives `results`: none for what the
  // host has waited for itself.
  void finish(Part part, const std::vector<mlx::core::array>& results = {});

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
};

}  // namespace parakeet::ops
