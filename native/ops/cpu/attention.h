// Relative-position attention on a CPU: two products, a shift, a softmax and a product for each head, without
// transposing or copying the heads apart. See ops.h for the formula.
#pragma once

#ifdef PARAKEET_ONEDNN

#include "ops/ops.h"

namespace parakeet::ops {

struct AttentionShape {
  int queries, keys, width, heads;  // width: of all heads together
  Band band;
};

// inputs: query, key, value, position, u, v as in ops::relativeAttention.
void attend(const std::vector<const float*>& inputs, float* output, const AttentionShape& shape);

}  // namespace parakeet::ops

#endif
