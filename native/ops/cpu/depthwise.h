// Depthwise convolution along time over the rows of several streams, each with its own past; layer norm, if there is
// one; and SiLU.
#pragma once

#include <vector>

#include "ops/types.h"

namespace parakeet::ops {

struct DepthwiseTaps {
  const float* weight;  // [kernel, channels]
  const float* bias;    // [channels]
  int channels, kernel;
  int before;  // rows that it looks back; ahead it looks kernel − 1 − before
  // Of the layer norm after it, [channels]; null for none.
  const float *normWeight, *normBias;
};

struct ConvolutionItem {
  Rows rows;
  const float* past;  // the `before` rows before; null for zeros
};

// Rows `rows` of the output. x, output: the batch [frames, channels], covered by the items in order. After an item come
// zeros.
void convolveRows(const DepthwiseTaps& taps, const std::vector<ConvolutionItem>& items, Rows rows, const float* x,
                  float* output);

}  // namespace parakeet::ops
