// Multi-head attention with relative positions, for several streams at once.
#pragma once

#include <vector>

#include "ops/types.h"

namespace parakeet::ops {

// One stream's attention: its queries are rows of the batch, its keys and values are its own, past ones first.
struct AttentionItem {
  Rows queries;
  mx::array key, value;  // [m, d]
  mx::array position;    // row r belongs to the distance `farthest` − r
  int farthest;          // queries and keys are never farther apart, or lie more than a block outside of the band
  Band band;
};

// Multi-head attention with relative positions (Dai et al. 2019, "Transformer-XL"; NeMo's
// RelPositionMultiHeadAttention): softmax(((q + u) kᵀ + (q + v) p[i − j]ᵀ) / √(d / heads)) · values, for each item.
//   query [n, d], covered by the items in order; u, v [d]. → [n, d]
mx::array relativeAttention(const mx::array& query, const std::vector<AttentionItem>& items, const mx::array& u,
                            const mx::array& v, int heads);

}  // namespace parakeet::ops
