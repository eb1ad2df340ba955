// 3 × 3 convolutions of stride 2 over [height, width, channels], for the subsampling: from one channel to many, and
// depthwise. Both are a few multiply-adds for each value written, so a plain loop over channels does.
#pragma once

#include <vector>

#include "ops/ops.h"

namespace parakeet::ops {

struct Convolution3x3 {
  // taps: [3, 3, channels]; bias: [channels].
  std::vector<float> taps, bias;
  int channels;
  bool depthwise;  // else the input has one channel

  // `top`: rows of zeros before the height (0 or 1); zeros beyond every other edge. Computes output rows [begin, end).
  // The output is [_, (width − 1) / 2 + 1, channels].
  void run(const float* x, float* output, int height, int width, int top, int begin, int end,
           Activation activation) const;
};

}  // namespace parakeet::ops
