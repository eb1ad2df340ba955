#include "model/padded_encoder.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "model/position.h"
#include "model/subsampling_weights.h"
#include "ops/device.h"
#include "ops/device_timer.h"
#include "ops/transfer.h"

namespace parakeet {
namespace mx = mlx::core;
namespace {

// Distances in which the table of positions grows.
constexpr int growth = 64;
// Bytes of projected positions that are kept, all layers together.
constexpr double keptBytes = 96e6, keptBytesOnGpu = 1e9;
// Layers whose work is handed to the device at once, while the next ones are still being prepared.
constexpr int layersAtOnce = 2;
// From this many frames on, each layer is awaited, so that a long signal can be cancelled and its intermediate results
// are freed: while the next one is queued, so that the device has always something to do.
constexpr int awaitedFrames = 4096;
// Bytes of scores and of other intermediate results that one batch may have in a layer.
constexpr double batchBytes = 6e9;
// Cached frames that a stream gets room for at once.
constexpr int largestAtOnce = 512;

constexpr int roundedUp(int value, int step) { return (value + step - 1) / step * step; }

ops::PaddedSubsampling makeSubsampling(const EncoderConfig& config, const Weights& weights, ops::DType dtype,
                                       mx::Dtype melType) {
  const SubsamplingTensors tensors = readSubsampling(config, weights);
  std::vector<ops::PaddedSubsampling::Stage> stages;
  for (const auto& [depthwise, pointwise] : tensors.stages)
    stages.push_back({{depthwise.weight, depthwise.bias}, makeDense(pointwise, dtype)});
  return {config.features,
          config.subsamplingChannels,
          config.causal ? 2 : 1,
          {tensors.first.weight, tensors.first.bias},
          std::move(stages),
          makeDense(tensors.out, dtype),
          dtype,
          melType};
}

// `count` rows of each item's `all`, along `axis`, from row `begins[i]` on. Rows before the first are undefined.
mx::array rowsFrom(const mx::array& all, const std::vector<int>& begins, int count, int axis, int itemAxis) {
  const int first = begins[0];
  const bool same = std::all_of(begins.begin(), begins.end(), [first](int begin) { return begin == first; });
  if (same && first >= 0) {
    mx::Shape from(all.ndim(), 0), to = all.shape();
    from[axis] = first;
    to[axis] = first + count;
    return mx::slice(all, from, to);
  }
  std::vector<int32_t> rows;
  for (const int begin : begins) {
    for (int i = 0; i < count; i++) rows.push_back(std::max(0, begin + i));
  }
  mx::Shape flat(all.ndim(), 1), shape = all.shape();
  flat[itemAxis] = static_cast<int>(begins.size());
  flat[axis] = shape[axis] = count;
  const mx::array indices = mx::broadcast_to(ops::uploaded(rows, flat), shape);
  return mx::take_along_axis(all, indices, axis);
}

}  // namespace

int PaddedEncoder::paddedFrames(int frames) {
  if (frames <= 64) return roundedUp(frames, 8);
  if (frames <= 512) return roundedUp(frames, 32);
  return roundedUp(frames, frames <= 2048 ? 128 : 512);
}

int PaddedEncoder::paddedCache(int frames) {
  int size = 8;
  while (size < frames) size = size % 3 == 0 ? size / 3 * 4 : size / 2 * 3;
  return frames == 0 ? 0 : size;
}

struct PaddedEncoder::Cache : StreamCache {
  Cache(std::shared_ptr<const CacheSlot> slot, int frames) : slot(std::move(slot)), frames(frames) {}
  std::shared_ptr<const CacheSlot> slot;
  int frames;  // of the slot's keys and values, the last ones
};

struct PaddedEncoder::Item {
  ops::MelPiece mel;
  Context context;
  const CacheUpdate* update;  // none for a whole signal
  const Cache* past;
  int frames = 0;
  std::optional<FrameRows> encoded = {};
  std::shared_ptr<const Cache> next = {};

  int cached() const { return past ? past->frames : 0; }
  int nextFrames() const { return std::min(update->capacity, cached() + update->commit); }
  // A live stream has room for all that it will keep from its first step on, so that streams of any age run together. A
  // long memory grows with what is in it.
  int slotFrames() const { return paddedCache(update->capacity <= largestAtOnce ? update->capacity : nextFrames()); }
};

struct PaddedEncoder::Batch {
  std::vector<Item*> items;
  int frames, cached;  // padded
  Context context;
  bool keeps;
  mx::array encoded = mx::array(0.0f);
  // Of the items whose caches go to one pool. `slots` are new where an item has none in that pool yet.
  struct Kept {
    std::shared_ptr<CachePool> pool;
    std::vector<int> rows;  // of the batch
    CachePool::Update update;
  };
  std::vector<Kept> kept = {};

  bool takes(const Item& item, int paddedFrames, int paddedCache, int heads) const {
    const int count = static_cast<int>(items.size()) + 1;
    const double scores = static_cast<double>(heads) * paddedFrames * (3.0 * (paddedCache + paddedFrames));
    const double bytes = count * (scores * 6 + 65536.0 * paddedFrames);
    return frames == paddedFrames && cached == paddedCache && context.sameAttention(item.context) &&
           keeps == (item.update != nullptr) && (items[0]->past == nullptr) == (item.past == nullptr) &&
           bytes <= batchBytes;
  }
};

PaddedEncoder::PaddedEncoder(const EncoderConfig& config, const Weights& weights, ops::DType dtype,
                             const CancelFlag& cancel)
    : Encoder(config),
      type_(ops::activationType(dtype)),
      subsampling_(makeSubsampling(config, weights, ops::wider(dtype), type_)) {
  const PaddedKernels kernels{ops::GatedConvolution::make(config.dModel, config.convKernel, config.convBefore(), type_),
                              ops::LiveAttention::make(config.heads, config.dModel / config.heads, type_),
                              ops::ShiftedNormKernel::make(config.dModel, type_)};
  for (int i = 0; i < config.layers; i++) {
    cancel.check();
    layers_.push_back(makePaddedLayer(config, LayerWeights(config, weights, i), dtype, kernels));
  }
}

std::shared_ptr<CachePool> PaddedEncoder::pool(int frames) const {
  std::shared_ptr<CachePool>& pool = pools_[frames];
  if (!pool) {
    pool = std::make_shared<CachePool>(
        CacheShape{config().layers, config().heads, config().dModel, frames, config().convBefore(), type_});
  }
  return pool;
}

std::vector<LayerCache> PaddedEncoder::layersOf(const StreamCachePtr& past) const {
  std::vector<LayerCache> layers(layers_.size());
  if (!past) return layers;
  const auto& [slot, frames] = static_cast<const Cache&>(*past);
  const CacheShape& shape = slot->pool().shape();
  const mx::array slots({slot->index()}, mx::int32);
  const int width = shape.width;
  for (int i = 0; i < shape.layers; i++) {
    if (frames > 0) {
      const mx::array both =
          mx::reshape(mx::transpose(slot->pool().keysValues(i, slots), {0, 1, 3, 2, 4}), {2, shape.frames, width});
      const auto part = [&](int which) {
        const mx::array rows = mx::slice(both, {which, shape.frames - frames, 0}, {which + 1, shape.frames, width});
        return mx::astype(mx::squeeze(rows, 0), mx::float32);
      };
      layers[i].keys = part(0);
      layers[i].values = part(1);
    } else {
      layers[i].keys = layers[i].values = mx::zeros({0, width});
    }
    layers[i].convolution =
        mx::astype(mx::reshape(slot->pool().convolution(i, slots), {shape.before, width}), mx::float32);
  }
  return layers;
}

StreamCachePtr PaddedEncoder::cacheOf(const std::vector<LayerCache>& layers) const {
  if (!layers[0].keys) return nullptr;
  const int frames = layers[0].keys->shape(0), padded = paddedCache(frames);
  const int heads = config().heads, size = config().dModel / heads;
  auto slot = std::make_shared<const CacheSlot>(pool(padded));
  CachePool::Update update{mx::array({slot->index()}, mx::int32), {}, {}};
  for (const LayerCache& layer : layers) {
    if (padded > 0) {
      const auto part = [&](const mx::array& rows) {
        const mx::array all = mx::pad(mx::astype(rows, type_), {{padded - frames, 0}, {0, 0}});
        return mx::transpose(mx::reshape(all, {padded, heads, size}), {1, 0, 2});
      };
      update.keysValues.push_back(mx::expand_dims(mx::stack({part(*layer.keys), part(*layer.values)}, 0), 0));
    }
    update.convolutions.push_back(
        mx::reshape(mx::astype(*layer.convolution, type_), {1, config().convBefore(), config().dModel}));
  }
  slot->pool().store(update);
  return std::make_shared<const Cache>(std::move(slot), frames);
}

std::vector<FrameRows> PaddedEncoder::encode(const std::vector<const Matrix*>& signals, const Context& context,
                                             const CancelFlag& cancel) const {
  std::vector<Item> items;
  for (const Matrix* features : signals) {
    mustFit(*features);
    items.push_back({{features->data.data(), features->rows, true, true}, context, nullptr, nullptr});
  }
  encode(items, cancel);
  std::vector<FrameRows> encoded;
  for (const Item& item : items) encoded.push_back(*item.encoded);
  return encoded;
}

std::vector<EncodedPiece> PaddedEncoder::encode(std::vector<EncoderPiece> pieces, const CancelFlag& cancel) const {
  std::vector<Item> items;
  for (const EncoderPiece& piece : pieces) {
    mustFit(piece.features);
    const Matrix& features = piece.features;
    items.push_back({{features.data.data(), features.rows, piece.atStart, piece.atEnd, piece.skip},
                     piece.context,
                     &piece.update,
                     static_cast<const Cache*>(piece.past.get())});
  }
  encode(items, cancel);
  std::vector<EncodedPiece> encoded;
  for (const Item& item : items) encoded.push_back({*item.encoded, item.next});
  return encoded;
}

void PaddedEncoder::encode(std::vector<Item>& items, const CancelFlag& cancel) const {
  for (Item& item : items) item.frames = subsampling_.framesOf(item.mel);
  std::vector<Batch> batches = batchesOf(items, config().heads);
  std::vector<mx::array> made;
  for (Batch& batch : batches) {
    run(batch, cancel);
    made.push_back(batch.encoded);
    for (const Batch::Kept& kept : batch.kept) {
      made.insert(made.end(), kept.update.keysValues.begin(), kept.update.keysValues.end());
      made.insert(made.end(), kept.update.convolutions.begin(), kept.update.convolutions.end());
    }
  }
  const bool keeps = std::any_of(batches.begin(), batches.end(), [](const Batch& batch) { return batch.keeps; });
  // Whole signals may be awaited by whoever reads them, while the next ones are being prepared.
  if (!keeps) return mx::async_eval(std::exchange(made, {}));
  mx::eval(std::exchange(made, {}));
  cancel.check();
  // Only now that nothing can fail any more: the caches are written in place.
  for (const Batch& batch : batches) {
    for (const Batch::Kept& kept : batch.kept) kept.pool->store(kept.update);
  }
}

std::vector<PaddedEncoder::Batch> PaddedEncoder::batchesOf(std::vector<Item>& items, int heads) {
  std::vector<Batch> batches;
  for (Item& item : items) {
    const int frames = paddedFrames(item.frames), cached = item.past ? item.past->slot->pool().shape().frames : 0;
    const auto found = std::find_if(batches.begin(), batches.end(),
                                    [&](const Batch& batch) { return batch.takes(item, frames, cached, heads); });
    if (found != batches.end())
      found->items.push_back(&item);
    else
      batches.push_back({{&item}, frames, cached, item.context, item.update != nullptr});
  }
  return batches;
}

void PaddedEncoder::run(Batch& batch, const CancelFlag& cancel) const {
  std::vector<ops::MelPiece> mel;
  for (const Item* item : batch.items) mel.push_back(item->mel);
  ops::DeviceTimer timer;
  mx::array x = mx::astype(subsampling_(mel, batch.frames), type_);
  timer.finish(ops::Part::subsampling, {x});
  if (config().xscaling) x = x * mx::array(std::sqrt(static_cast<float>(config().dModel)), type_);
  for (size_t i = 0; batch.keeps && i < batch.items.size(); i++) {
    Item& item = *batch.items[i];
    const std::shared_ptr<CachePool> own = pool(item.slotFrames());
    const bool stays = item.past && &item.past->slot->pool() == own.get();
    item.next = std::make_shared<const Cache>(stays ? item.past->slot : std::make_shared<const CacheSlot>(own),
                                              item.nextFrames());
    auto kept = std::find_if(batch.kept.begin(), batch.kept.end(), [&](const auto& one) { return one.pool == own; });
    if (kept == batch.kept.end()) kept = batch.kept.insert(kept, {own, {}, {mx::array(0), {}, {}}});
    kept->rows.push_back(static_cast<int>(i));
  }
  for (Batch::Kept& kept : batch.kept) {
    std::vector<int32_t> slots;
    for (const int row : kept.rows) slots.push_back(batch.items[row]->next->slot->index());
    kept.update.slots = ops::uploaded(slots, {static_cast<int>(slots.size())});
  }
  runLayers(batch, std::move(x), cancel);
  for (size_t i = 0; i < batch.items.size(); i++)
    batch.items[i]->encoded = FrameRows{batch.encoded, static_cast<int>(i) * batch.frames, batch.items[i]->frames};
}

void PaddedEncoder::runLayers(Batch& batch, mx::array x, const CancelFlag& cancel) const {
  const ops::PaddedShape shape{static_cast<int>(batch.items.size()), batch.frames, batch.cached};
  const bool hasPast = batch.items[0]->past != nullptr;
  // What differs between the items, in one array: frames of the past, frames, slots of the past.
  std::vector<int32_t> numbers;
  for (const Item* item : batch.items) numbers.push_back(item->cached());
  for (const Item* item : batch.items) numbers.push_back(item->frames);
  for (const Item* item : batch.items) numbers.push_back(hasPast ? item->past->slot->index() : 0);
  std::vector<int> counts;
  for (const Item* item : batch.items) counts.push_back(item->frames);
  const mx::array each = ops::uploaded(numbers, {3, shape.batch});
  const auto row = [&](int which) { return mx::squeeze(mx::slice(each, {which, 0}, {which + 1, shape.batch}), 0); };
  const ops::Band band = this->band(batch.context, shape.cached);
  ops::PaddedBatch padded{shape,
                          ops::attentionMask(shape, row(0), row(1), band, config().heads),
                          mx::reshape(mx::arange(0, shape.frames, mx::int32), {1, shape.frames, 1}),
                          mx::reshape(row(1), {shape.batch, 1, 1}),
                          ops::GatedConvolution::numbersOf(shape.frames, hasPast, batch.keeps, counts),
                          batch.keeps};
  int farthest = 0, nearest = 0;
  for (const ops::AttentionMask::Block& block : padded.mask.blocks) {
    farthest = std::max(farthest, block.farthest(shape));
    nearest = std::min(nearest, block.farthest(shape) + 1 - block.distances());
  }
  const std::vector<ops::PositionTable>* tables = keptPositions(farthest, nearest);
  const mx::array from = row(2);
  if (layers_[0].block.live && tables && ops::LiveAttention::takes(shape) && batch.kept.size() <= 1)
    padded.live = liveStep(batch, (*tables)[0], band);
  std::optional<mx::array> queued;  // the layer before
  for (size_t i = 0; i < layers_.size(); i++) {
    cancel.check();
    ops::PaddedPast past;
    if (hasPast) {
      const CachePool& pool = batch.items[0]->past->slot->pool();
      if (shape.cached > 0) {
        past.keysValues = pool.keysValues(static_cast<int>(i));
        past.slots = from;
      }
      past.convolution = pool.convolution(static_cast<int>(i), from);
    }
    const ops::PositionTable table = tables ? (*tables)[i] : positions(layers_[i], farthest, nearest);
    const ops::PaddedOutput output = ops::runBlock(functions_, layers_[i].block, x, padded, past, table);
    x = output.y;
    if (batch.keeps) keep(batch, output);
    if (shape.batch * shape.frames >= awaitedFrames) {
      mx::async_eval(x);
      if (queued) mx::eval(*queued);
      queued = x;
    } else if (i % layersAtOnce == 0) {
      mx::async_eval(x);
    }
  }
  batch.encoded = mx::astype(x, mx::float32);
  mx::async_eval(batch.encoded);
}

ops::LiveAttention::Step PaddedEncoder::liveStep(const Batch& batch, const ops::PositionTable& table,
                                                 const ops::Band& band) const {
  const ops::PaddedShape shape{static_cast<int>(batch.items.size()), batch.frames, batch.cached};
  const int kept = batch.kept.empty() ? 0 : batch.kept[0].pool->shape().frames;
  std::vector<ops::LiveAttention::Item> items;
  for (const Item* item : batch.items) {
    items.push_back({item->cached(), item->frames, item->past ? item->past->slot->index() : 0,
                     kept > 0 ? batch.cached + item->update->commit - kept : 0});
  }
  return ops::LiveAttention::step(shape, table.rows.shape(1), table.farthest, band, kept, items);
}

void PaddedEncoder::keep(Batch& batch, const ops::PaddedOutput& output) const {
  const bool whole = batch.kept.size() == 1;
  const auto ofItems = [&](const mx::array& all, const std::vector<int>& rows, int axis) {
    return whole ? all : mx::take(all, mx::array(rows.begin(), {static_cast<int>(rows.size())}, mx::int32), axis);
  };
  for (Batch::Kept& kept : batch.kept) {
    const int frames = kept.pool->shape().frames;
    std::vector<int> ends, begins;
    for (const int row : kept.rows) {
      const int commit = batch.items[row]->update->commit;
      begins.push_back(commit);
      ends.push_back(batch.cached + commit - frames);
    }
    if (output.kept) {
      if (frames > 0) kept.update.keysValues.push_back(*output.kept);
    } else if (frames > 0) {
      const mx::array rows = rowsFrom(ofItems(*output.keysValues, kept.rows, 2), ends, frames, 3, 2);
      kept.update.keysValues.push_back(mx::transpose(rows, {2, 0, 1, 3, 4}));
    }
    kept.update.convolutions.push_back(
        rowsFrom(ofItems(output.convolved, kept.rows, 0), begins, kept.pool->shape().before, 1, 0));
  }
}

ops::PositionTable PaddedEncoder::positions(const PaddedLayer& layer, int from, int to) const {
  const int width = config().dModel;
  const mx::array sinusoids =
      mx::astype(ops::fromVector(relativePositions(from, to, width), {from - to + 1, width}), type_);
  return {ops::positionRows(layer.block, layer.position(sinusoids)), from};
}

const std::vector<ops::PositionTable>* PaddedEncoder::keptPositions(int from, int to) const {
  if (from <= positions_.from && to >= positions_.to) return &positions_.tables;
  const int first = std::max(positions_.from, roundedUp(from, growth)),
            last = std::min(positions_.to, -roundedUp(-to, growth));
  const double bytes = static_cast<double>(first - last + 1) * config().dModel * layers_.size() * mx::size_of(type_);
  if (bytes > (ops::onGpu() ? keptBytesOnGpu : keptBytes)) return nullptr;
  Positions table{first, last, {}};
  for (const PaddedLayer& layer : layers_) {
    table.tables.push_back(positions(layer, first, last));
    mx::eval(table.tables.back().rows);
  }
  positions_ = std::move(table);
  return &positions_.tables;
}

}  // namespace parakeet
