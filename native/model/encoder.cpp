#include "model/encoder.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "error.h"
#include "model/mutant.h"
#include "model/position.h"
#include "ops/give_up.h"

namespace parakeet {
namespace mx = mlx::core;
namespace {

// Projected positions that are kept, all layers together (bytes), and the step in which the table grows (rows).
constexpr size_t keptBytes = size_t{96} << 20;
constexpr int growth = 64;
// From this many frames on, each layer is evaluated separately.
constexpr int evaluatedFrames = 192;

mx::array sinusoidsOf(int from, int to, int width) {
  return ops::fromVector(relativePositions(from, to, width), {from - to + 1, width});
}

Matrix rowsOf(const Matrix& all, const ops::Rows& rows) {
  const auto begin = all.data.begin() + static_cast<ptrdiff_t>(rows.first) * all.columns;
  return {{begin, begin + static_cast<ptrdiff_t>(rows.count) * all.columns}, rows.count, all.columns};
}

void mustFit(const Matrix& features, const EncoderConfig& config) {
  if (features.columns == config.features) return;
  throw Error("ERR_PARAKEET_INVALID_ARGUMENT", "Expected mel frames of " + std::to_string(config.features) +
                                                   " features but received some of " +
                                                   std::to_string(features.columns));
}

}  // namespace

Encoder::Encoder(const EncoderConfig& config, const Weights& weights, ops::DType dtype, const CancelFlag& cancel)
    : config_(config), subsampling_(config, weights, ops::wider(dtype)) {
  for (int i = 0; i < config.layers; i++) {
    cancel.check();
    layers_.emplace_back(config, weights, i, dtype);
  }
}

struct Encoder::Item {
  ops::Rows rows;
  Context context;
  std::vector<LayerCache> caches;
  const CacheUpdate* update;
};

Matrix Encoder::encode(const Matrix& features, const Context& context, const CancelFlag& cancel) const {
  if (features.rows == 0) return {{}, 0, config_.dModel};
  return std::move(encode(std::vector<const Matrix*>{&features}, context, cancel)[0]);
}

std::vector<Matrix> Encoder::encode(const std::vector<const Matrix*>& signals, const Context& context,
                                    const CancelFlag& cancel) const {
  const ops::GiveUpScope scope(cancel.flag());
  std::vector<Subsampling::Item> inputs;
  for (const Matrix* features : signals) {
    mustFit(*features, config_);
    inputs.push_back({toArray(*features), true, true});
  }
  std::vector<ops::Rows> rows;
  const mx::array x = subsampling_(inputs, rows);
  std::vector<Item> items;
  for (const ops::Rows& own : rows) items.push_back({own, context, std::vector<LayerCache>(layers_.size()), nullptr});
  inputs.clear();
  const Matrix all = toMatrix(run(x, items, cancel));
  std::vector<Matrix> encoded;
  for (const Item& item : items) encoded.push_back(rowsOf(all, item.rows));
  return encoded;
}

std::vector<EncodedPiece> Encoder::encode(std::vector<EncoderPiece> pieces, const CancelFlag& cancel) const {
  const ops::GiveUpScope scope(cancel.flag());
  std::vector<Subsampling::Item> inputs;
  for (const EncoderPiece& piece : pieces) {
    mustFit(piece.features, config_);
    inputs.push_back({toArray(piece.features), piece.atStart, piece.atEnd});
  }
  std::vector<ops::Rows> rows;
  const mx::array x = subsampling_(inputs, rows);
  std::vector<Item> items;
  for (size_t i = 0; i < pieces.size(); i++)
    items.push_back({rows[i], pieces[i].context, std::move(pieces[i].caches), &pieces[i].update});
  const Matrix all = toMatrix(run(x, items, cancel));
  std::vector<EncodedPiece> encoded;
  for (Item& item : items) encoded.push_back({rowsOf(all, item.rows), std::move(item.caches)});
  return encoded;
}

mx::array Encoder::run(mx::array x, std::vector<Item>& items, const CancelFlag& cancel) const {
  if (config_.xscaling) x = x * mx::array(std::sqrt(static_cast<float>(config_.dModel)));
  std::vector<ops::BlockItem> shares;
  std::vector<std::pair<int, int>> distances;  // of each item: first and last
  int from = 0, to = 1;
  for (Item& item : items) {
    const int frames = item.rows.count, cached = item.caches[0].keys ? item.caches[0].keys->shape(0) : 0;
    // Nothing beyond the band is read, but the first and last query of a block share one range.
    const auto within = [](int distance, int side) {
      return side < 0 ? distance : std::min(distance, side + ops::attentionBlock - 1);
    };
    distances.emplace_back(within(cached + frames - 1, item.context.left), -within(frames - 1, item.context.right));
    from = std::max(from, distances.back().first);
    to = std::min(to, distances.back().second);
    const auto [own, last] = distances.back();
    ops::BlockItem share{
        .rows = item.rows,
        .positions = x,
        .firstPosition = 0,
        .positionCount = own - last + 1,
        .farthest = own,
        .band = {item.context.left, item.context.right, cached},
        .cache = {},
        .update = {},
    };
    if (item.update) share.update = *item.update;
    shares.push_back(std::move(share));
  }
  const std::vector<mx::array>* kept = keptPositions(from, to, cancel);
  const int first = kept ? positions_.from : from, tableRows = first - (kept ? positions_.to : to) + 1;
  const mx::array sinusoids = kept ? x : sinusoidsOf(from, to, config_.dModel);
  std::vector<mx::array> wanted;
  for (size_t i = 0; i < layers_.size(); i++) {
    cancel.check();
    const mx::array table = kept ? (*kept)[i] : layers_[i].project(sinusoids);
    for (size_t k = 0; k < items.size(); k++) {
      shares[k].positions = table;
      shares[k].firstPosition =
          mutant("batch-mixed") ? tableRows - shares[k].positionCount : first - shares[k].farthest;
      shares[k].cache = items[k].caches[i];
    }
    const ops::BlockOutput output = layers_[i](x, shares);
    x = output.y;
    for (size_t k = 0; k < items.size(); k++) {
      if (!items[k].update) continue;
      items[k].caches[i] = {output.caches[k]};
      const LayerCache& cache = items[k].caches[i];
      wanted.insert(wanted.end(), {*cache.keys, *cache.values, *cache.convolution});
    }
    // One layer at a time, so that a long signal can be cancelled and its intermediate results freed; for a short one,
    // waiting costs more than that gains.
    wanted.push_back(x);
    if (x.shape(0) < evaluatedFrames)
      mx::async_eval(std::exchange(wanted, {}));
    else
      mx::eval(std::exchange(wanted, {}));
  }
  wanted.push_back(x);
  mx::eval(wanted);
  cancel.check();
  return x;
}

const std::vector<mx::array>* Encoder::keptPositions(int from, int to, const CancelFlag& cancel) const {
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
    cancel.check();  // a cancelled result is not kept
    positions_ = std::move(table);
  }
  return &positions_.projected;
}

}  // namespace parakeet
