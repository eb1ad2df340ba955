#include "ops/cpu/quantize.h"

#include <algorithm>
#include <cmath>

namespace parakeet::ops {

QuantizedChannel quantizeChannel(const float* weight, int8_t* bytes, int count, int most) {
  float peak = 0;
  for (int k = 0; k < count; k++) peak = std::max(peak, std::abs(weight[k]));
  QuantizedChannel channel{peak > 0 ? peak / static_cast<float>(most) : 1.0f, 0};
  for (int k = 0; k < count; k++) {
    bytes[k] = static_cast<int8_t>(std::lround(weight[k] / channel.scale));
    channel.sum += bytes[k];
  }
  return channel;
}

}  // namespace parakeet::ops
