// One FastConformer block (Gulati et al. 2020; NeMo's ConformerLayer): half a feed-forward, attention with relative
// positions, convolution, half a feed-forward, layer norm. Stateless: what a stream keeps comes in and goes out. The
// frames of several streams may stand one below the other: products take them all at once, time is each one's own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/config.h"
#include "model/weights.h"
#include "ops/ops.h"

namespace parakeet {

// What a stream keeps of one layer: keys and values of past frames, and the depthwise convolution's last inputs.
struct LayerCache {
  std::optional<mlx::core::array> keys;         // [cached, dModel]
  std::optional<mlx::core::array> values;       // [cached, dModel]
  std::optional<mlx::core::array> convolution;  // [(kernel − 1) / 2, dModel]

  template <class Archive>
  void archive(Archive& archive) {
    archive(keys, values, convolution);
  }
};

// What a step keeps for the next one.
struct CacheUpdate {
  int commit = 0;    // of the step's frames, how many become past
  int capacity = 0;  // past frames whose keys and values are kept
};

struct FeedForward {
  ops::Norm norm;
  ops::Linear up, down;
  // x + down(silu(up(norm(x)))) / 2.
  mlx::core::array operator()(const mlx::core::array& x) const { return ops::feedForward(x, norm, up, down, 0.5f); }
};

// One stream's share of a batch in one layer.
struct LayerItem {
  ops::Rows rows;             // of the batch
  mlx::core::array position;  // this layer's projection of the positions' sinusoids (see project)
  int farthest;               // distance of its first row
  ops::Band band;
  LayerCache* cache;                    // what came before
  const CacheUpdate* update = nullptr;  // with it, `cache` becomes what the next step needs
};

class LayerWeights;  // reads the tensors of one layer

class ConformerLayer {
 public:
  ConformerLayer(const EncoderConfig& config, const Weights& weights, int index, ops::DType dtype);

  // x: [frames, dModel] → the same. The items cover all rows in order; each sees only its own.
  mlx::core::array operator()(mlx::core::array x, const std::vector<LayerItem>& items) const;

  // Projects sinusoids [distances, dModel] for this layer's attention.
  mlx::core::array project(const mlx::core::array& sinusoids) const { return linearPosition_(sinusoids); }

 private:
  ConformerLayer(const EncoderConfig& config, const LayerWeights& read);

  // Each adds to x.
  mlx::core::array attend(const mlx::core::array& x, const std::vector<LayerItem>& items) const;
  mlx::core::array convolve(const mlx::core::array& x, const std::vector<LayerItem>& items) const;

  int dModel_, heads_, pad_;
  ops::DType dtype_;
  FeedForward feedForward1_, feedForward2_;
  ops::Norm normAttention_, normConvolution_, normOut_;
  ops::Linear linearQueryKeyValue_, linearOut_, linearPosition_;
  mlx::core::array biasU_, biasV_;
  ops::Linear pointwise1_, pointwise2_;
  ops::DepthwiseConv1d depthwise_;
};

}  // namespace parakeet
