// Relative-position attention on a CPU: two products, a shift, a softmax and a product for each head. See ops.h for the
// formula.
#pragma once

#ifdef PARAKEET_ONEDNN

#include "ops/ops.h"

namespace parakeet::ops {

// One stream's part of a batch.
struct AttentionShape {
  Rows queries;             // rows of the batch
  int keys, width, heads;   // width: of all heads together
  int farthest, positions;  // the first position's distance, and how many there are
  Band band;
};

// Its arrays, row-major, all heads beside each other; query and output at its first row.
struct AttentionInput {
  const float *query, *u, *v, *key, *value, *position;
  float* output;
};

// The keys that some of `count` queries from `first` on may see.
struct KeySpan {
  int low, high;
};
KeySpan keysOf(const AttentionShape& shape, int first, int count);

// inputs: query of all items, u, v, then key, value and position of each, as in ops::relativeAttention. With a type
// other than float32 the products are of bfloat16 where the CPU has them.
void attend(const std::vector<AttentionShape>& items, const std::vector<const float*>& inputs, float* output,
            DType dtype);

}  // namespace parakeet::ops

#endif
