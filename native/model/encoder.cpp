#include "model/encoder.h"

#include <algorithm>
#include <cmath>

#include "model/position.h"

namespace parakeet {
namespace mx = mlx::core;
namespace {

// Ranges of distances kept projected, and the longest that is worth keeping (rows).
constexpr size_t keptRanges = 4;
constexpr int longestKeptRange = 1024;

}  // namespace

Encoder::Encoder(const EncoderConfig& config, const Weights& weights, const CancelFlag& cancel)
    : config_(config), subsampling_(config, weights) {
  for (int i = 0; i < config.layers; i++) {
    cancel.check();
    layers_.emplace_back(config, weights, i);
  }
}

Matrix Encoder::encode(const Matrix& features, const Context& context, const CancelFlag& cancel) const {
  if (features.rows == 0) return {{}, 0, config_.dModel};
  std::vector<LayerCache> none(layers_.size());
  return run(subsampling_(toArray(features), true, true), context, none, nullptr, cancel);
}

Matrix Encoder::encodePiece(const Piece& piece, std::vector<LayerCache>& caches, const CancelFlag& cancel) const {
  std::vector<LayerCache> next = caches;
  const mx::array x = subsampling_(toArray(piece.features), piece.atStart, piece.atEnd);
  Matrix encoded = run(x, piece.context, next, &piece.update, cancel);
  caches = std::move(next);
  return encoded;
}

Matrix Encoder::run(mx::array x, const Context& context, std::vector<LayerCache>& caches, const CacheUpdate* update,
                    const CancelFlag& cancel) const {
  if (config_.xscaling) x = x * mx::array(std::sqrt(static_cast<float>(config_.dModel)));
  const int frames = x.shape(0);
  const int cached = caches[0].keys ? caches[0].keys->shape(0) : 0;
  const ops::Band band{context.left, context.right, cached};
  const std::vector<mx::array> position = positions(cached + frames - 1, -(frames - 1));
  for (size_t i = 0; i < layers_.size(); i++) {
    cancel.check();
    x = layers_[i](x, position[i], band, caches[i], update);
    std::vector<mx::array> wanted{x};
    if (update) wanted.insert(wanted.end(), {*caches[i].keys, *caches[i].values, *caches[i].convolution});
    mx::eval(wanted);
  }
  return toMatrix(x);
}

std::vector<mx::array> Encoder::positions(int from, int to) const {
  for (const PositionEntry& entry : positionCache_) {
    if (entry.from == from && entry.to == to) return entry.projected;
  }
  const int rows = from - to + 1;
  const mx::array sinusoids = ops::fromVector(relativePositions(from, to, config_.dModel), {rows, config_.dModel});
  std::vector<mx::array> projected;
  for (const ConformerLayer& layer : layers_) projected.push_back(layer.project(sinusoids));
  if (rows <= longestKeptRange) {
    mx::eval(projected);
    if (positionCache_.size() >= keptRanges) positionCache_.erase(positionCache_.begin());
    positionCache_.push_back({from, to, projected});
  }
  return projected;
}

}  // namespace parakeet
