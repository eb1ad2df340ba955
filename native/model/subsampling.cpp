#ifdef PARAKEET_CPU_KERNELS

#include "model/subsampling.h"

#include <algorithm>
#include <utility>

#include "model/make_linear.h"
#include "model/mutant.h"
#include "model/subsampling_weights.h"
#include "ops/profile.h"

namespace parakeet {
namespace mx = mlx::core;
namespace {

// Frames that are subsampled at once. With 256 channels and 128 mel features, 512 of them need some 40 MB; 170 on
// devices that keep all of the first convolution's output.
constexpr int pieceFrames = 512;

}  // namespace

Subsampling::Subsampling(const EncoderConfig& config, const Weights& weights, ops::DType dtype) : config_(config) {
  SubsamplingTensors tensors = readSubsampling(config, weights);
  const auto spatial = [&](ConvolutionTensors& own, int inputs) {
    return ops::Conv3x3(own.weight, std::move(own.bias), config.subsamplingChannels, inputs, config.causal ? 2 : 1);
  };
  first_ = std::make_unique<ops::Conv3x3>(spatial(tensors.first, 1));
  for (auto& [depthwise, pointwise] : tensors.stages)
    stages_.push_back({spatial(depthwise, config.subsamplingChannels), makeLinear(std::move(pointwise), dtype)});
  out_ = std::make_unique<ops::Linear>(makeLinear(std::move(tensors.out), dtype));
}

mx::array Subsampling::operator()(const std::vector<Item>& items, std::vector<ops::Rows>& rows) const {
  const ops::PartScope part(ops::Part::subsampling);
  const auto isLong = [this](const Item& item) {
    return item.features.shape(0) > pieceFrames * config_.subsamplingFactor;
  };
  const bool anyLong = std::any_of(items.begin(), items.end(), isLong);
  std::vector<mx::array> all;
  int first = 0;
  for (const Item& item : items) {
    // The last product handles all items together, unless they are too large.
    if (!anyLong)
      all.push_back(convolve(item));
    else
      all.push_back(isLong(item) ? inPieces(item) : (*out_)(convolve(item)));
    rows.push_back({first, all.back().shape(0)});
    first += all.back().shape(0);
  }
  const mx::array joined = all.size() == 1 ? all[0] : mx::concatenate(all, 0);
  return anyLong ? joined : (*out_)(joined);
}

mx::array Subsampling::inPieces(const Item& item) const {
  const int rows = item.features.shape(0), features = item.features.shape(1);
  const int factor = config_.subsamplingFactor, before = config_.melBefore();
  // Frame t sees mel frames t · factor − before … t · factor + after, counted from the first output's own.
  const int origin = item.atStart ? 0 : before;
  const auto frames = static_cast<int>(config_.framesOf(rows - origin, item.atEnd));
  std::vector<mx::array> pieces;
  for (int first = 0; first < frames; first += pieceFrames) {
    const int last = std::min(frames, first + pieceFrames);
    const bool start = first == 0, end = last == frames;
    // A piece that begins before the signal's own second frame would see the padding: pieces are longer than that.
    const int begin = start ? 0 : origin + first * factor - before;
    const int until = end ? rows : origin + (last - 1) * factor + config_.melAfter() + 1;
    const mx::array own = mx::slice(item.features, {begin, 0}, {until, features});
    pieces.push_back((*out_)(convolve({own, start && item.atStart, end && item.atEnd, start ? item.skip : 0})));
    mx::eval(pieces.back());
  }
  return mx::concatenate(pieces, 0);
}

mx::array Subsampling::convolve(const Item& item) const {
  const int before = config_.causal ? 2 : 1;
  const int top = item.atStart ? before : 0, bottom = item.atEnd ? 1 : 0;
  mx::array x = mx::expand_dims(item.features, 2);
  if (config_.causal && mutant("subsampling-ahead")) x = mx::roll(x, -1, 0);
  if (stages_.empty()) x = (*first_)(x, top, bottom, ops::Activation::relu);
  for (const ops::SeparableConv& stage : stages_)
    x = stage(&stage == &stages_.front() ? first_.get() : nullptr, x, top, bottom);
  const int width = x.shape(1) * x.shape(2);
  x = mx::reshape(x, {x.shape(0), width});
  return item.skip > 0 ? mx::slice(x, {item.skip, 0}, {x.shape(0), width}) : x;
}

}  // namespace parakeet

#endif
