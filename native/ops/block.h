// A FastConformer block (Gulati et al. 2020; NeMo's ConformerLayer) for several streams at once: half a feed-forward,
// attention with relative positions, convolution, half a feed-forward, layer norm. The frames of the streams are
// stacked: products process them all, operations along time keep streams apart. On our CPU kernels; see
// ops/padded/block.h for the same on MLX's operations.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "ops/block_cache.h"
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
  std::optional<Linear> following{};  // the first product after the block: its weights are fetched in time
};

class KeyValueLog;

// What a stream keeps of a block: as its BlockCache, but keys and values are rows of a log.
struct BlockPast {
  std::shared_ptr<KeyValueLog> log;  // null for none
  int begin = 0, end = 0;            // its rows
  std::optional<mx::array> convolution;

  int frames() const { return end - begin; }
};

BlockPast pastOf(const Block& block, const BlockCache& cache);
// Of a block of so wide rows.
BlockCache cacheOf(const BlockPast& past, int width);

// One stream's share of a batch.
struct BlockItem {
  Rows rows;
  mx::array positions;  // of readablePositions; row `firstPosition` + r belongs to the distance `farthest` − r
  int firstPosition, positionCount;
  int farthest;
  Band band;
  BlockPast past;
  std::optional<CacheUpdate> update;
};

struct BlockOutput {
  mx::array y;                   // [frames, d]
  std::vector<BlockPast> pasts;  // of the items, written when `y` is; unchanged for those without an update
};

// Projected positions [_, d] as the block reads them, in every step: laid out for its products once.
mx::array readablePositions(const Block& block, const mx::array& projected);

// x: [frames, d], covered by the items in order; each sees only its own. One kernel.
BlockOutput runBlock(const std::shared_ptr<const Block>& block, const mx::array& x,
                     const std::vector<BlockItem>& items);

}  // namespace parakeet::ops
