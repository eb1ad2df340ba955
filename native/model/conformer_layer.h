// The weights of one layer of the encoder, and a stream's cache of it.
#pragma once

#include <memory>
#include <vector>

#include "model/config.h"
#include "model/weights.h"
#include "ops/block.h"

namespace parakeet {

// A stream's cache of one layer.
struct LayerCache : ops::BlockCache {
  template <class Archive>
  void archive(Archive& archive) {
    archive(keys, values, convolution);
  }
};

using ops::CacheUpdate;

class LayerWeights;  // reads the tensors of one layer

// Stateless: a stream's cache is passed in and out.
class ConformerLayer {
 public:
  ConformerLayer(const EncoderConfig& config, const Weights& weights, int index, ops::DType dtype);

  // x: [frames, dModel] → the same. The items cover all rows in order; each sees only its own.
  ops::BlockOutput operator()(const mlx::core::array& x, const std::vector<ops::BlockItem>& items) const;

  // Projects sinusoids [distances, dModel] for this layer's attention: what its items' `positions` are.
  mlx::core::array project(const mlx::core::array& sinusoids) const {
    return ops::readablePositions(*block_, linearPosition_(sinusoids));
  }

 private:
  explicit ConformerLayer(const LayerWeights& read);

  std::shared_ptr<const ops::Block> block_;
  ops::Linear linearPosition_;
};

}  // namespace parakeet
