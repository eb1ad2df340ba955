// One layer of the encoder on our CPU kernels.
#pragma once

#include <memory>
#include <vector>

#include "model/config.h"
#include "ops/block.h"
#include "ops/linear.h"

namespace parakeet {

class LayerWeights;

// Stateless: a stream's past is passed in and out.
class ConformerLayer {
 public:
  ConformerLayer(const EncoderConfig& config, const LayerWeights& weights, ops::DType dtype);

  // The layer that comes after this one. Before the first call.
  void precede(const ConformerLayer& next) { block_->following = next.block_->feedForward1.up; }

  // x: [frames, dModel] → the same. The items cover all rows in order; each sees only its own.
  ops::BlockOutput operator()(const mlx::core::array& x, const std::vector<ops::BlockItem>& items) const;

  ops::BlockPast pastOf(const ops::BlockCache& cache) const { return ops::pastOf(*block_, cache); }

  // Projects sinusoids for this layer's attention: what its items' `positions` are. The sinusoids come in blocks
  // [distances, dModel], of which one begins where the one before ends. Where the products are oneDNN's, a row's sums
  // depend on how many rows are projected with it: by blocks, they are the same however far the table goes.
  mlx::core::array project(const std::vector<mlx::core::array>& sinusoids) const;

 private:
  std::shared_ptr<ops::Block> block_;
  ops::Linear linearPosition_;
};

}  // namespace parakeet
