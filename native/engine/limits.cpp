#include "engine/limits.h"

#include <algorithm>

#include "ops/device.h"

namespace parakeet {
namespace {

// On a CPU: MLX caches freed buffers by size, without a limit of its own; a live stream has few shapes, so a small
// cache is enough. With 256 rows products run at full speed; more would only add latency.
constexpr EngineLimits cpu{size_t{64} << 20, 256, 64};

// A GPU is full with minutes of audio: this many frames, 33 minutes, where there is memory for them.
constexpr int fullBatch = 24576, smallestBatch = 1024;
constexpr double fullMemory = 24e9;

}  // namespace

EngineLimits engineLimits() {
  if (!ops::onGpu()) return cpu;
  const auto memory = static_cast<double>(ops::gpuFacts().memory);
  const double share = std::min(1.0, memory / fullMemory);
  return {static_cast<size_t>(memory / 4), std::max(smallestBatch, static_cast<int>(fullBatch * share)), 1024};
}

}  // namespace parakeet
