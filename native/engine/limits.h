// How much the engine takes at once, by device.
#pragma once

#include <cstddef>

namespace parakeet {

struct EngineLimits {
  // Bytes of freed buffers that MLX keeps for the next step.
  size_t cache;
  // Encoder frames of the steps or recordings that run together.
  int batchFrames;
  // Streams that are decoded in step.
  int decodes;
};

// Of the device that computes.
EngineLimits engineLimits();

}  // namespace parakeet
