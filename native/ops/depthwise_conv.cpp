#include "ops/depthwise_conv.h"

#include <utility>

namespace parakeet::ops {

DepthwiseConv1d::DepthwiseConv1d(const std::vector<float>& weight, std::vector<float> bias, int channels, int kernel,
                                 int before, std::optional<LayerNorm> norm)
    : taps_(weight.size()),
      bias_(std::move(bias)),
      channels_(channels),
      kernel_(kernel),
      before_(before),
      norm_(std::move(norm)) {
  for (int c = 0; c < channels; c++) {
    for (int k = 0; k < kernel; k++)
      taps_[static_cast<size_t>(k) * channels + c] = weight[static_cast<size_t>(c) * kernel + k];
  }
}

}  // namespace parakeet::ops
