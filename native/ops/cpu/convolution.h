// 3 × 3 convolutions of stride 2 over [height, width, channels], for the subsampling: from one channel to many,
// depthwise, and one after the other. For a register's channels the taps stay in registers along a row.
#pragma once

#include <vector>

#include "ops/convolved_size.h"
#include "ops/types.h"

namespace parakeet::ops {

struct Convolution3x3 {
  // taps: [3, 3, channels]; bias: [channels].
  std::vector<float> taps, bias;
  int channels;
  bool depthwise;  // else the input has one channel
  int before;      // columns of zeros before the width: 1, or 2 where the convolution is causal; there is one after it

  // `top`: rows of zeros before the height (0 to 2); zeros beyond every other edge. `output`: rows [begin, end) of the
  // result, [end − begin, convolvedWidth(width, before), channels].
  void run(const float* x, float* output, int height, int width, int top, int begin, int end,
           Activation activation) const;
};

// x: [height, width]. `depthwise` over ReLU of `first`, each with `top` and `bottom` rows of zeros around its own
// input: rows [begin, end) of the result, to `output`. Of what `first` gives, only three rows of a register's channels
// are kept, in the nearest cache: whole, it is larger than any cache. Calls for neighbouring rows of output both
// compute the row between them.
void convolveTwice(const Convolution3x3& first, const Convolution3x3& depthwise, const float* x, float* output,
                   int height, int width, int top, int bottom, int begin, int end);

}  // namespace parakeet::ops
