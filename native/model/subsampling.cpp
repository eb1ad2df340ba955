#ifdef PARAKEET_CPU_KERNELS

#include "model/subsampling.h"

#include <algorithm>
#include <utility>

#include "model/make_linear.h"
#include "model/subsampling_weights.h"
#include "ops/profile.h"

namespace parakeet {
namespace mx = mlx::core;
namespace {

// Frames that are subsampled at once. With 256 channels and 128 mel features, 512 of them need some 40 MB; 170 on
// devices that keep all of the first convolution's output.
constexpr int pieceFrames = 512;

}  // namespace

Subsampling::Subsampling(const EncoderConfig& config, const Weights& weights, ops::DType dtype)
    : factor_(config.subsamplingFactor) {
  SubsamplingTensors tensors = readSubsampling(config, weights);
  const auto spatial = [&](ConvolutionTensors& own, int inputs) {
    return ops::Conv3x3(own.weight, std::move(own.bias), config.subsamplingChannels, inputs);
  };
  first_ = std::make_unique<ops::Conv3x3>(spatial(tensors.first, 1));
  for (auto& [depthwise, pointwise] : tensors.stages)
    stages_.push_back({spatial(depthwise, config.subsamplingChannels), makeLinear(std::move(pointwise), dtype)});
  out_ = std::make_unique<ops::Linear>(makeLinear(std::move(tensors.out), dtype));
}

mx::array Subsampling::operator()(const std::vector<Item>& items, std::vector<ops::Rows>& rows) const {
  const ops::PartScope part(ops::Part::subsampling);
  const auto isLong = [this](const Item& item) { return item.features.shape(0) > pieceFrames * factor_; };
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
  // Frame t sees mel frames t · factor − reach … t · factor + reach, counted from the first output's own.
  const int origin = item.atStart ? 0 : leftReach(),
            frames = (rows - origin + (item.atEnd ? factor_ - 1 : 0)) / factor_;
  std::vector<mx::array> pieces;
  for (int first = 0; first < frames; first += pieceFrames) {
    const int last = std::min(frames, first + pieceFrames);
    const bool start = first == 0, end = last == frames;
    const int begin = start ? 0 : origin + first * factor_ - leftReach();
    const int until = end ? rows : origin + last * factor_;
    const mx::array own = mx::slice(item.features, {begin, 0}, {until, features});
    pieces.push_back((*out_)(convolve({own, start && item.atStart, end && item.atEnd})));
    mx::eval(pieces.back());
  }
  return mx::concatenate(pieces, 0);
}

mx::array Subsampling::convolve(const Item& item) const {
  const int top = item.atStart ? 1 : 0, bottom = item.atEnd ? 1 : 0;
  mx::array x = mx::expand_dims(item.features, 2);
  if (stages_.empty()) x = (*first_)(x, top, bottom, ops::Activation::relu);
  for (const ops::SeparableConv& stage : stages_)
    x = stage(&stage == &stages_.front() ? first_.get() : nullptr, x, top, bottom);
  return mx::reshape(x, {x.shape(0), x.shape(1) * x.shape(2)});
}

}  // namespace parakeet

#endif
