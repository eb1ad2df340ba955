#include "engine/limits.h"

#include <algorithm>

#include "ops/device.h"

namespace parakeet {
namespace {

// On a CPU: MLX caches freed buffers by size, without a limit of its own; a live stream has few shapes, so a small
// cache is enough. With 256 rows products run at full speed; more would only add latency.
constexpr EngineLimits cpu{size_t{64} << 20, 256, 64};

// A GPU is full with minutes of audio, and decoding takes as many rounds for many signals as for one: this many frames
// for each gigabyte, but no more than three hours.
constexpr double framesPerGigabyte = 1024;
constexpr int smallestBatch = 1024, largestBatch = 131072;

}  // namespace

EngineLimits engineLimits() {
  if (!ops::onGpu()) return cpu;
  const auto memory = static_cast<double>(ops::gpuFacts().memory);
  const int frames = static_cast<int>(memory / 1e9 * framesPerGigabyte);
  return {static_cast<size_t>(memory / 4), std::clamp(frames, smallestBatch, largestBatch), 1024};
}

}  // namespace parakeet
