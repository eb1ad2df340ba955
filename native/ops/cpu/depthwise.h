// Depthwise convolution along time over the rows of several streams, each with its own past.
#pragma once

#ifdef PARAKEET_ONEDNN

#include <vector>

#include "ops/ops.h"

namespace parakeet::ops {

struct DepthwiseTaps {
  const float* weight;  // [kernel, channels]
  const float* bias;    // [channels]
  int channels, kernel;
};

struct ConvolutionItem {
  Rows rows;
  int past;  // index among the inputs of the (kernel − 1) / 2 rows before; −1 for zeros
};

// inputs: the batch [frames, channels], then pasts. See ops::DepthwiseConv1d.
void convolveRows(const DepthwiseTaps& taps, const std::vector<ConvolutionItem>& items,
                  const std::vector<const float*>& inputs, float* output);

}  // namespace parakeet::ops

#endif
