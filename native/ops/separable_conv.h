// A stage of the subsampling (NeMo's ConvSubsampling, `dw_striding`): ReLU of a pointwise product over a depthwise 3 ×
// 3 convolution of stride 2, on our CPU kernels.
#pragma once

#include "ops/conv3x3.h"
#include "ops/linear.h"

namespace parakeet::ops {

struct SeparableConv {
  Conv3x3 depthwise;
  Linear pointwise;

  // x: [height, width, channels] → [height', width', outputs of `pointwise`]. `first`: a convolution from one channel
  // to many, whose ReLU is the stage's input; null for none. `top` and `bottom`: rows of zeros around the input of each
  // convolution. One kernel, which keeps only a few rows of the intermediate result, many times larger than
  // input and output.
  mx::array operator()(const Conv3x3* first, const mx::array& x, int top, int bottom) const;
};

}  // namespace parakeet::ops
