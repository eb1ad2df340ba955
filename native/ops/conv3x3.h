// The convolutions of the subsampling on our CPU kernels.
#pragma once

#include <memory>
#include <vector>

#include "ops/types.h"

namespace parakeet::ops {

struct Convolution3x3;  // ops/cpu/convolution.h

// 3 × 3 convolution of stride 2 over [height, width, channels]: depthwise, or from one channel to many. The width is
// padded with `before` columns of zeros and one after it.
class Conv3x3 {
 public:
  // `weight`: [channels, 3, 3, 1]; `bias`: [channels]. `inputs`: 1 or `channels`.
  Conv3x3(const std::vector<float>& weight, std::vector<float> bias, int channels, int inputs, int before);
  // `top`, `bottom`: rows of zeros added before and after the height.
  mx::array operator()(const mx::array& x, int top, int bottom, Activation activation = Activation::none) const;
  // The weights; not null.
  const Convolution3x3* cpuConvolution() const;

 private:
  class Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace parakeet::ops
