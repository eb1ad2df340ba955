// Relative-position attention on a CPU: two products, a shift, a softmax and a product for each head, without
// transposing or copying the heads apart. See ops.h for the formula.
#pragma once

#ifdef PARAKEET_ONEDNN

#include "ops/ops.h"

namespace parakeet::ops {

// One stream's part of a batch.
struct AttentionShape {
  Rows queries;            // rows of the batch
  int keys, width, heads;  // width: of all heads together
  int farthest;
  Band band;
};

// inputs: query of all items, u, v, then key, value and position of each, as in ops::relativeAttention.
void attend(const std::vector<AttentionShape>& items, const std::vector<const float*>& inputs, float* output);

}  // namespace parakeet::ops

#endif
