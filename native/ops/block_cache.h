// What a stream keeps of a Conformer block between its steps, as plain rows.
#pragma once

#include <cstdint>
#include <optional>

#include "ops/types.h"

namespace parakeet::ops {

// Absent at a stream's start.
struct BlockCache {
  std::optional<mx::array> keys, values;  // [cached, d], of past frames
  // On a CPU, the place of the first of them in a panel (ops/cpu/tile_kernel.h): how sums over them are rounded depends
  // on it.
  int32_t place = 0;
  std::optional<mx::array> convolution;  // the depthwise convolution's last inputs, as many as it looks back, [_, d]
};

// What a step keeps for the next one.
struct CacheUpdate {
  int commit = 0;    // of the step's frames, how many become past
  int capacity = 0;  // past frames whose keys and values are kept
};

}  // namespace parakeet::ops
