#include "ops/depthwise_conv.h"

#include <utility>

namespace parakeet::ops {

DepthwiseConv1d::DepthwiseConv1d(const std::vector<float>& weight, std::vector<float> bias, int channels, int kernel)
    : taps_(weight.size()), bias_(std::move(bias)), channels_(channels), kernel_(kernel) {
  for (int c = 0; c < channels; c++) {
    for (int k = 0; k < kernel; k++)
      taps_[static_cast<size_t>(k) * channels + c] = weight[static_cast<size_t>(c) * kernel + k];
  }
}

}  // namespace parakeet::ops
