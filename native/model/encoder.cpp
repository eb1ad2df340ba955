#include "model/encoder.h"

#include <algorithm>
#include <cmath>

#include "model/position.h"

namespace parakeet {
namespace mx = mlx::core;
namespace {

// Projected positions that are kept, all layers together (bytes), and the step in which the table grows (rows).
constexpr size_t keptBytes = size_t{96} << 20;
constexpr int growth = 64;

mx::array sinusoidsOf(int from, int to, int width) {
  return ops::fromVector(relativePositions(from, to, width), {from - to + 1, width});
}

}  // namespace

Encoder::Encoder(const EncoderConfig& config, const Weights& weights, ops::DType dtype, const CancelFlag& cancel)
    : config_(config), subsampling_(config, weights, ops::atLeastBfloat16(dtype)) {
  for (int i = 0; i < config.layers; i++) {
    cancel.check();
    layers_.emplace_back(config, weights, i, dtype);
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
  const int from = cached + frames - 1, to = -(frames - 1);
  const std::vector<mx::array>* kept = keptPositions(from, to);
  const mx::array sinusoids = kept ? x : sinusoidsOf(from, to, config_.dModel);
  for (size_t i = 0; i < layers_.size(); i++) {
    cancel.check();
    const mx::array position =
        kept ? mx::slice((*kept)[i], {positions_.from - from, 0}, {positions_.from - to + 1, config_.dModel})
             : layers_[i].project(sinusoids);
    x = layers_[i](x, position, band, caches[i], update);
    std::vector<mx::array> wanted{x};
    if (update) wanted.insert(wanted.end(), {*caches[i].keys, *caches[i].values, *caches[i].convolution});
    mx::eval(wanted);
  }
  return toMatrix(x);
}

const std::vector<mx::array>* Encoder::keptPositions(int from, int to) const {
  const auto fits = [&](int first, int last) {
    const size_t rows = static_cast<size_t>(first) - last + 1;
    return rows * layers_.size() * config_.dModel * sizeof(float) <= keptBytes;
  };
  if (positions_.projected.empty() || from > positions_.from || to < positions_.to) {
    const auto roundedUp = [](int distance) { return (distance + growth - 1) / growth * growth; };
    int first = std::max(positions_.from, roundedUp(from)), last = std::min(positions_.to, -roundedUp(-to));
    if (!fits(first, last)) {
      first = from;
      last = to;
    }
    if (!fits(first, last)) return nullptr;
    positions_ = {};
    const mx::array sinusoids = sinusoidsOf(first, last, config_.dModel);
    PositionTable table{first, last, {}};
    for (const ConformerLayer& layer : layers_) {
      table.projected.push_back(layer.project(sinusoids));
      mx::eval(table.projected.back());
    }
    positions_ = std::move(table);
  }
  return &positions_.projected;
}

}  // namespace parakeet
