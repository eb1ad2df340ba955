// A FastConformer block (Gulati et al. 2020; NeMo's ConformerLayer) for several streams at once: half a feed-forward,
// attention with relative positions, convolution, half a feed-forward, layer norm. The frames of the streams are
// stacked: products process them all, operations along time keep streams apart.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "ops/attention.h"
#include "ops/depthwise_conv.h"
#include "ops/linear.h"
#include "ops/norm.h"

namespace parakeet::ops {

// x + down(silu(up(norm(x)))) / 2.
struct FeedForward {
  Norm norm;
  Linear up, down;
};

struct Block {
  FeedForward feedForward1, feedForward2;
  Norm normAttention, normConvolution, normOut;
  Linear queryKeyValue;  // in three parts
  Linear out;
  mx::array biasU, biasV;  // [d]
  Linear pointwise1;       // gated
  DepthwiseConv1d depthwise;
  Linear pointwise2;
  int heads;
  DType dtype;
};

// A stream's cache of a block. Absent at its start.
struct BlockCache {
  std::optional<mx::array> keys, values;  // [cached, d], of past frames
  std::optional<mx::array> convolution;   // [(kernel − 1) / 2, d], the depthwise convolution's last inputs
};

// What a step keeps for the next one.
struct CacheUpdate {
  int commit = 0;    // of the step's frames, how many become past
  int capacity = 0;  // past frames whose keys and values are kept
};

// One stream's share of a batch.
struct BlockItem {
  Rows rows;
  mx::array positions;  // of readablePositions; row `firstPosition` + r belongs to the distance `farthest` − r
  int firstPosition, positionCount;
  int farthest;
  Band band;
  BlockCache cache;
  std::optional<CacheUpdate> update;
};

struct BlockOutput {
  mx::array y;                     // [frames, d]
  std::vector<BlockCache> caches;  // of the items; unchanged for those without an update
};

// Projected positions [_, d] as the block reads them, in every step: laid out for its products once.
mx::array readablePositions(const Block& block, const mx::array& projected);

// x: [frames, d], covered by the items in order; each sees only its own. On a CPU one kernel, elsewhere MLX's
// operations.
BlockOutput runBlock(const std::shared_ptr<const Block>& block, const mx::array& x,
                     const std::vector<BlockItem>& items);

}  // namespace parakeet::ops
