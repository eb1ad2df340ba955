// One layer of the encoder on our CPU kernels.
#pragma once

#include <memory>
#include <vector>

#include "model/config.h"
#include "ops/block.h"
#include "ops/linear.h"

namespace parakeet {

class LayerWeights;

// Stateless: a stream's cache is passed in and out.
class ConformerLayer {
 public:
  ConformerLayer(const EncoderConfig& config, const LayerWeights& weights, ops::DType dtype);

  // x: [frames, dModel] → the same. The items cover all rows in order; each sees only its own.
  ops::BlockOutput operator()(const mlx::core::array& x, const std::vector<ops::BlockItem>& items) const;

  // Projects sinusoids [distances, dModel] for this layer's attention: what its items' `positions` are.
  mlx::core::array project(const mlx::core::array& sinusoids) const {
    return ops::readablePositions(*block_, linearPosition_(sinusoids));
  }

 private:
  std::shared_ptr<const ops::Block> block_;
  ops::Linear linearPosition_;
};

}  // namespace parakeet
