// The depthwise convolution along time of a Conformer block, as our CPU kernels read it.
#pragma once

#include <optional>
#include <vector>

#include "ops/cpu/depthwise.h"

namespace parakeet::ops {

// Depthwise convolution along time with a bias, layer norm if there is one, and SiLU.
class DepthwiseConv1d {
 public:
  struct LayerNorm {
    std::vector<float> weight, bias;  // [channels]
  };
  // `weight`: [channels, kernel]; `bias`: [channels]. `before`: frames that it looks back, at most kernel − 1.
  DepthwiseConv1d(const std::vector<float>& weight, std::vector<float> bias, int channels, int kernel, int before,
                  std::optional<LayerNorm> norm);

  // Frames that it looks back.
  int before() const { return before_; }
  // Valid while this or a copy of it lives and is not moved.
  DepthwiseTaps taps() const {
    return {taps_.data(),
            bias_.data(),
            channels_,
            kernel_,
            before_,
            norm_ ? norm_->weight.data() : nullptr,
            norm_ ? norm_->bias.data() : nullptr};
  }

 private:
  std::vector<float> taps_;  // [kernel, channels]
  std::vector<float> bias_;
  int channels_, kernel_, before_;
  std::optional<LayerNorm> norm_;
};

}  // namespace parakeet::ops
