// Multi-head attention with relative positions over a padded batch.
#pragma once

#include <optional>
#include <vector>

#include "ops/fused.h"
#include "ops/types.h"

namespace parakeet::ops {

// A batch of B items of T frames each, after C cached frames of each; keys number C + T.
struct PaddedShape {
  int batch, frames, cached;
  int keys() const { return cached + frames; }
};

// Which keys each query may attend to. The same for all layers.
struct AttentionMask {
  // Of each item, the first key that it has and the one after the last: int32, [1, B, 1, 1].
  mx::array firstKey, endKey;
  // Queries are processed in blocks, so that the scores of a long signal need not all be in memory, and only with the
  // keys within the band of each.
  struct Block {
    int firstQuery, queries, firstKey, keys;
    mx::array keyNumbers;           // int32, [keys]
    std::optional<mx::array> band;  // added to the scores, [1, 1, queries, keys]; none if it lies within the band

    // The distance from its last query to its first key, in frames; no pair of them is farther apart.
    int farthest(const PaddedShape& shape) const { return shape.cached + firstQuery + queries - 1 - firstKey; }
    // Distances between its queries and keys, and one more: an even number keeps a product's rows aligned.
    int distances() const { return queries + keys; }
  };
  std::vector<Block> blocks;
};

// `pasts`, `counts`: of each item, how many of the cached frames (the last ones) and of the frames (the first ones)
// there are, int32, [B]. `band`: its first query stands after the cached frames.
AttentionMask attentionMask(const PaddedShape& shape, const mx::array& pasts, const mx::array& counts, const Band& band,
                            int heads);

// Projected positions, and the distance that the first row belongs to; that of each next one is less by 1.
struct PositionTable {
  mx::array rows;  // [heads, distances, d / heads]
  int farthest;
};

// Rows of a batch from which a GPU is full: then shapes may be worth a preparation of their own.
constexpr int fullRows = 8192;

struct AttentionFunctions {
  AttentionFunctions();
  Fused queries;  // q, u, v, scale → (q + u) · scale, (q + v) · scale
  // Sum of the first two (and the band) in float32, as the first one's type; then: the keys' numbers, the first one
  // that an item has, and the one after the last.
  Fused scores, banded;
  // The same without the first: what a fused attention adds to its scores.
  Fused added, addedBanded;
};

// Multi-head attention with relative positions (Dai et al. 2019, "Transformer-XL"; NeMo's
// RelPositionMultiHeadAttention): softmax(((q + u) kᵀ + (q + v) p[i − j]ᵀ) / √(d / heads)) · values.
//   query [heads, B, T, d / heads]; keysValues [2, heads, B, keys, d / heads]; u, v [heads, 1, 1, d / heads].
//   → [B · T, d]
mx::array paddedAttention(const AttentionFunctions& functions, const PaddedShape& shape, const mx::array& query,
                          const mx::array& keysValues, const mx::array& u, const mx::array& v,
                          const PositionTable& positions, const AttentionMask& mask);

}  // namespace parakeet::ops
