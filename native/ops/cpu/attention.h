// Relative-position attention on a CPU: two products, a shift, a softmax and a product for each head. See ops.h for the
// formula.
#pragma once

#ifdef PARAKEET_ONEDNN

#include "ops/ops.h"

namespace parakeet::ops {

// One stream's part of a batch.
struct AttentionShape {
  Rows queries;             // rows of the batch
  int past;                 // keys that come before those of its own rows
  int width, heads;         // width: of all heads together
  int farthest, positions;  // the first position's distance, and how many positions there are
  Band band;

  int keys() const { return past + queries.count; }
};

// Its arrays, row-major, all heads beside each other; all but the past at its first row.
struct AttentionInput {
  const float *query, *key, *value;
  const float *pastKey, *pastValue;  // null for none
  const float* position;
  const float *u, *v;
  float* output;
};

// The keys that some of `count` queries from `first` on may see.
struct KeySpan {
  int low, high;
};
KeySpan keysOf(const AttentionShape& shape, int first, int count);

// All heads of all items. With int8 the products are of bfloat16 where the CPU has them, else of float32.
void attend(const std::vector<AttentionShape>& shapes, const std::vector<AttentionInput>& inputs, DType dtype);

}  // namespace parakeet::ops

#endif
