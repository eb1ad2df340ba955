// A FastConformer block (Gulati et al. 2020; NeMo's ConformerLayer) over a padded batch, on MLX's own operations: half
// a feed-forward, attention with relative positions, convolution, half a feed-forward, layer norm. ops/block.h is the
// same on our CPU kernels.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "ops/dense.h"
#include "ops/norm.h"
#include "ops/padded/attention.h"
#include "ops/padded/gated_convolution.h"
#include "ops/padded/live_attention.h"
#include "ops/padded/shifted_norm.h"

namespace parakeet::ops {

// Weights of one block in its order, in the activations' type. The products that are added to the residual have no
// biases; each norm adds those of the products before it.
struct PaddedBlock {
  struct FeedForward {
    ShiftedNorm norm;
    Dense up, down;
  };
  FeedForward feedForward1;

  ShiftedNorm normAttention;
  Dense queryKeyValue;
  mx::array biasU, biasV;                     // [heads, 1, 1, d / heads]
  std::shared_ptr<const LiveAttention> live;  // where there is a kernel of it
  Dense out;

  ShiftedNorm normConvolution;
  Dense pointwise1;
  std::vector<mx::array> taps;                    // of the depthwise convolution: one a frame, [1, 1, d]
  mx::array kernel;                               // the same, [d, frames, 1]
  mx::array tapBias;                              // [1, 1, d]
  std::shared_ptr<const GatedConvolution> gated;  // where there is a kernel of it, with its taps and bias
  mx::array gatedTaps, gatedBias;                 // [frames, d], [d]; float32
  int before;                                     // frames that the convolution looks back
  std::optional<Norm> normDepthwise;              // of a cache-aware model
  Dense pointwise2;

  FeedForward feedForward2;
  ShiftedNorm normOut;
  int heads;

  // Frames that the convolution looks ahead.
  int ahead() const { return static_cast<int>(taps.size()) - 1 - before; }
};

// The pointwise functions of all blocks.
struct BlockFunctions {
  BlockFunctions();
  AttentionFunctions attention;
  Fused silu;
  Fused gate;         // a, g, frame, count → a · σ(g) of the frames before `count`, else 0 (Dauphin et al. 2017)
  Fused convolution;  // bias, frames …, taps … → silu(Σ frame · tap + bias)
  Fused weighted;     // the same without SiLU
  Fused activation;   // x, bias → silu(x + bias)
};

// What the blocks of a batch read besides its frames.
struct PaddedBatch {
  PaddedShape shape;
  AttentionMask mask;
  mx::array frameNumbers;                        // int32, [1, T, 1]
  mx::array counts;                              // how many frames an item has, int32, [B, 1, 1]
  mx::array gatedNumbers;                        // of GatedConvolution
  bool keeps;                                    // whether PaddedOutput::convolved is wanted
  std::optional<LiveAttention::Step> live = {};  // of a batch whose attention is that kernel's
};

// The items' caches of a block; none at a stream's start.
struct PaddedPast {
  std::optional<mx::array> keysValues;   // of all slots, [slots, 2, heads, cached, d / heads]
  std::optional<mx::array> slots;        // of the items, int32, [B]
  std::optional<mx::array> convolution;  // [B, before, d]
};

struct PaddedOutput {
  mx::array y;                          // [B · T, d]
  std::optional<mx::array> keysValues;  // [2, heads, B, cached + T, d / heads]; or
  std::optional<mx::array> kept;        // LiveAttention's
  mx::array convolved;                  // the convolution's input, [B, before + T + ahead, d]
};

// x: [B · T, d].
PaddedOutput runBlock(const BlockFunctions& functions, const PaddedBlock& block, const mx::array& x,
                      const PaddedBatch& batch, const PaddedPast& past, const PositionTable& positions);

// A table of projected positions [distances, d], laid out for the products of each head.
mx::array positionRows(const PaddedBlock& block, const mx::array& projected);

}  // namespace parakeet::ops
