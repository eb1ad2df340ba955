#ifdef PARAKEET_CPU_KERNELS

#include "model/packed_encoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/layer_weights.h"
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

struct PackedCache : StreamCache {
  explicit PackedCache(std::vector<ops::BlockPast> layers) : layers(std::move(layers)) {}
  std::vector<ops::BlockPast> layers;
};

}  // namespace

PackedEncoder::PackedEncoder(const EncoderConfig& config, const Weights& weights, ops::DType dtype,
                             const CancelFlag& cancel)
    : Encoder(config), subsampling_(config, weights, ops::wider(dtype)) {
  for (int i = 0; i < config.layers; i++) {
    cancel.check();
    layers_.emplace_back(config, LayerWeights(config, weights, i), dtype);
    if (i > 0) layers_[i - 1].precede(layers_[i]);
  }
}

struct PackedEncoder::Item {
  ops::Rows rows;
  Context context;
  std::vector<ops::BlockPast> pasts;  // of each layer
  const CacheUpdate* update;
};

std::vector<ops::BlockPast> PackedEncoder::pastsOf(const StreamCachePtr& past) const {
  return past ? static_cast<const PackedCache&>(*past).layers : std::vector<ops::BlockPast>(layers_.size());
}

std::vector<LayerCache> PackedEncoder::layersOf(const StreamCachePtr& past) const {
  std::vector<LayerCache> layers;
  for (const ops::BlockPast& layer : pastsOf(past)) layers.push_back({ops::cacheOf(layer, config().dModel)});
  return layers;
}

StreamCachePtr PackedEncoder::cacheOf(const std::vector<LayerCache>& layers) const {
  std::vector<ops::BlockPast> pasts;
  for (size_t i = 0; i < layers.size(); i++) pasts.push_back(layers_[i].pastOf(layers[i]));
  return std::make_shared<const PackedCache>(std::move(pasts));
}

std::vector<FrameRows> PackedEncoder::encode(const std::vector<const Matrix*>& signals, const Context& context,
                                             const CancelFlag& cancel) const {
  const ops::GiveUpScope scope(cancel.flag());
  std::vector<Subsampling::Item> inputs;
  for (const Matrix* features : signals) {
    mustFit(*features);
    inputs.push_back({toArray(*features), true, true});
  }
  std::vector<ops::Rows> rows;
  const mx::array x = subsampling_(inputs, rows);
  std::vector<Item> items;
  for (const ops::Rows& own : rows) items.push_back({own, context, pastsOf(nullptr), nullptr});
  inputs.clear();
  const mx::array all = run(x, items, cancel);
  std::vector<FrameRows> encoded;
  for (const Item& item : items) encoded.push_back({all, item.rows.first, item.rows.count});
  return encoded;
}

std::vector<EncodedPiece> PackedEncoder::encode(std::vector<EncoderPiece> pieces, const CancelFlag& cancel) const {
  const ops::GiveUpScope scope(cancel.flag());
  std::vector<Subsampling::Item> inputs;
  for (const EncoderPiece& piece : pieces) {
    mustFit(piece.features);
    inputs.push_back({toArray(piece.features), piece.atStart, piece.atEnd, piece.skip});
  }
  std::vector<ops::Rows> rows;
  const mx::array x = subsampling_(inputs, rows);
  std::vector<Item> items;
  for (size_t i = 0; i < pieces.size(); i++)
    items.push_back({rows[i], pieces[i].context, pastsOf(pieces[i].past), &pieces[i].update});
  const mx::array all = run(x, items, cancel);
  std::vector<EncodedPiece> encoded;
  for (Item& item : items)
    encoded.push_back(
        {{all, item.rows.first, item.rows.count}, std::make_shared<const PackedCache>(std::move(item.pasts))});
  return encoded;
}

mx::array PackedEncoder::run(mx::array x, std::vector<Item>& items, const CancelFlag& cancel) const {
  if (config().xscaling) x = x * mx::array(std::sqrt(static_cast<float>(config().dModel)));
  std::vector<ops::BlockItem> shares;
  std::vector<std::pair<int, int>> distances;  // of each item: first and last
  int from = 0, to = 1;
  for (Item& item : items) {
    const int frames = item.rows.count, cached = item.pasts[0].frames();
    const ops::Band band = this->band(item.context, cached);
    // Nothing beyond the band is read, but the first and last query of a block share one range.
    const auto within = [](int distance, int side) {
      return side < 0 ? distance : std::min(distance, side + ops::attentionBlock - 1);
    };
    distances.emplace_back(within(cached + frames - 1, band.farthestLeft()), -within(frames - 1, band.farthestRight()));
    from = std::max(from, distances.back().first);
    to = std::min(to, distances.back().second);
    const auto [own, last] = distances.back();
    ops::BlockItem share{
        .rows = item.rows,
        .positions = x,
        .firstPosition = 0,
        .positionCount = own - last + 1,
        .farthest = own,
        .band = band,
        .past = {},
        .update = {},
    };
    if (item.update) share.update = *item.update;
    shares.push_back(std::move(share));
  }
  const std::vector<mx::array>* kept = keptPositions(from, to, cancel);
  const int first = kept ? positions_.from : from, tableRows = first - (kept ? positions_.to : to) + 1;
  const mx::array sinusoids = kept ? x : sinusoidsOf(from, to, config().dModel);
  std::vector<mx::array> wanted;
  for (size_t i = 0; i < layers_.size(); i++) {
    cancel.check();
    const mx::array table = kept ? (*kept)[i] : layers_[i].project({sinusoids});
    for (size_t k = 0; k < items.size(); k++) {
      shares[k].positions = table;
      // The mutant takes all from the place of the batch's first, as far as the table reaches.
      shares[k].firstPosition = mutant("batch-mixed")
                                    ? std::min(first - shares[0].farthest, tableRows - shares[k].positionCount)
                                    : first - shares[k].farthest;
      shares[k].past = items[k].pasts[i];
    }
    const ops::BlockOutput output = layers_[i](x, shares);
    x = output.y;
    for (size_t k = 0; k < items.size(); k++) {
      if (!items[k].update) continue;
      items[k].pasts[i] = output.pasts[k];
      wanted.push_back(*items[k].pasts[i].convolution);
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

const std::vector<mx::array>* PackedEncoder::keptPositions(int from, int to, const CancelFlag& cancel) const {
  const auto fits = [&](int first, int last) {
    const size_t rows = static_cast<size_t>(first) - last + 1;
    return rows * layers_.size() * config().dModel * sizeof(float) <= keptBytes;
  };
  if (positions_.projected.empty() || from > positions_.from || to < positions_.to) {
    const auto roundedUp = [](int distance) { return (distance + growth - 1) / growth * growth; };
    // A whole number of blocks, each of them always of the same distances.
    const int ownFirst = roundedUp(from), ownLast = 1 - roundedUp(1 - to);
    int first = std::max(positions_.from, ownFirst), last = std::min(positions_.to, ownLast);
    if (!fits(first, last)) {
      first = ownFirst;
      last = ownLast;
    }
    if (!fits(first, last)) return nullptr;
    positions_ = {};
    PositionTable table{first, last, {}};
    std::vector<mx::array> sinusoids;
    for (int block = first; block >= last; block -= growth)
      sinusoids.push_back(sinusoidsOf(block, block - growth + 1, config().dModel));
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

#endif
