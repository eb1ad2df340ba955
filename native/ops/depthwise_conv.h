// The depthwise convolution along time of a Conformer block, as our CPU kernels read it.
#pragma once

#include <vector>

#include "ops/cpu/depthwise.h"

namespace parakeet::ops {

// Depthwise convolution along time with a bias and SiLU after it, centred: the kernel is odd.
class DepthwiseConv1d {
 public:
  // `weight`: [channels, kernel]; `bias`: [channels].
  DepthwiseConv1d(const std::vector<float>& weight, std::vector<float> bias, int channels, int kernel);

  // Frames that it looks back, and as many ahead: (kernel − 1) / 2.
  int reach() const { return (kernel_ - 1) / 2; }
  // Valid while this or a copy of it lives and is not moved.
  DepthwiseTaps taps() const { return {taps_.data(), bias_.data(), channels_, kernel_}; }

 private:
  std::vector<float> taps_;  // [kernel, channels]
  std::vector<float> bias_;
  int channels_, kernel_;
};

}  // namespace parakeet::ops
