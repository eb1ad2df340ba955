// Weights as bytes: one scale for each output channel.
#pragma once

#include <cstdint>

namespace parakeet::ops {

struct QuantizedChannel {
  float scale;
  int32_t sum;  // of the quantised weights
};

// bytes[k] = round(weight[k] / scale), halves away from zero, in [−127, 127]; the scale is the largest magnitude /
// 127, or 1 where all are 0.
QuantizedChannel quantizeChannel(const float* weight, int8_t* bytes, int count);

}  // namespace parakeet::ops
