#include "model/conformer_layer.h"

#include <algorithm>
#include <cmath>

#include "model/mutant.h"

namespace parakeet {
namespace mx = mlx::core;

using Shape = std::vector<int64_t>;

// Reads the tensors of one layer by their short names.
class LayerWeights {
 public:
  LayerWeights(const EncoderConfig& config, const Weights& weights, int index)
      : config_(config), weights_(weights), prefix_("encoder.layers." + std::to_string(index) + ".") {}

  std::vector<float> take(const std::string& name, const Shape& shape) const {
    return weights_.take(prefix_ + name, shape);
  }

  ops::Linear linear(const std::string& name, int outputs, int inputs, bool bias, bool pointwise = false) const {
    const Shape shape = pointwise ? Shape{outputs, 1, inputs} : Shape{outputs, inputs};
    return ops::Linear(take(name + ".weight", shape), bias ? take(name + ".bias", {outputs}) : std::vector<float>{},
                       outputs, inputs);
  }

  LayerNorm norm(const std::string& name) const {
    return {vector(name + ".weight", {config_.dModel}), vector(name + ".bias", {config_.dModel})};
  }

  FeedForward feedForward(const std::string& name) const {
    return {linear(name + ".linear1", config_.feedForward, config_.dModel, config_.useBias),
            linear(name + ".linear2", config_.dModel, config_.feedForward, config_.useBias)};
  }

  ops::Linear attention(const std::string& name) const {
    return linear("self_attn." + name, config_.dModel, config_.dModel, config_.useBias && name != "linear_pos");
  }

  mx::array vector(const std::string& name, const Shape& shape) const {
    return ops::fromVector(take(name, shape), {config_.dModel});
  }

  // The depthwise convolution with the batch norm after it folded in: both are linear at inference.
  ops::DepthwiseConv1d depthwise() const {
    const int channels = config_.dModel, kernel = config_.convKernel;
    std::vector<float> weight = take("conv.depthwise_conv.weight", {channels, kernel, 1});
    std::vector<float> bias =
        config_.useBias ? take("conv.depthwise_conv.bias", {channels}) : std::vector<float>(channels);
    const auto gamma = take("conv.batch_norm.weight", {channels}), beta = take("conv.batch_norm.bias", {channels});
    const auto mean = take("conv.batch_norm.running_mean", {channels}),
               variance = take("conv.batch_norm.running_var", {channels});
    for (int c = 0; c < channels; c++) {
      const float scale = gamma[c] / std::sqrt(variance[c] + 1e-5f);
      for (int k = 0; k < kernel; k++) weight[static_cast<size_t>(c) * kernel + k] *= scale;
      bias[c] = (bias[c] - mean[c]) * scale + beta[c];
    }
    return ops::DepthwiseConv1d(std::move(weight), std::move(bias), channels, kernel);
  }

 private:
  const EncoderConfig& config_;
  const Weights& weights_;
  std::string prefix_;
};

namespace {

// A copy of rows [begin, end) that does not keep the rest of `x` alive.
mx::array rows(const mx::array& x, int begin, int end) {
  return mx::contiguous(mx::slice(x, {begin, 0}, {end, x.shape(1)}));
}

// The last rows of what is past after `commit` of the newest `fresh` rows of `all` became past.
mx::array keepPast(const mx::array& all, int fresh, const CacheUpdate& update) {
  const int past = all.shape(0) - fresh + update.commit;
  return rows(all, std::max(0, past - update.capacity), past);
}

mx::array halfStep(const mx::array& x, const mx::array& y) { return x + mx::array(0.5f) * y; }

}  // namespace

ConformerLayer::ConformerLayer(const EncoderConfig& config, const Weights& weights, int index)
    : ConformerLayer(config, LayerWeights(config, weights, index)) {}

ConformerLayer::ConformerLayer(const EncoderConfig& config, const LayerWeights& read)
    : dModel_(config.dModel),
      heads_(config.heads),
      pad_((config.convKernel - 1) / 2),
      normFeedForward1_(read.norm("norm_feed_forward1")),
      normAttention_(read.norm("norm_self_att")),
      normConvolution_(read.norm("norm_conv")),
      normFeedForward2_(read.norm("norm_feed_forward2")),
      normOut_(read.norm("norm_out")),
      feedForward1_(read.feedForward("feed_forward1")),
      feedForward2_(read.feedForward("feed_forward2")),
      linearQuery_(read.attention("linear_q")),
      linearKey_(read.attention("linear_k")),
      linearValue_(read.attention("linear_v")),
      linearOut_(read.attention("linear_out")),
      linearPosition_(read.attention("linear_pos")),
      biasU_(read.vector("self_attn.pos_bias_u", {heads_, dModel_ / heads_})),
      biasV_(read.vector("self_attn.pos_bias_v", {heads_, dModel_ / heads_})),
      pointwise1_(read.linear("conv.pointwise_conv1", 2 * dModel_, dModel_, config.useBias, true)),
      pointwise2_(read.linear("conv.pointwise_conv2", dModel_, dModel_, config.useBias, true)),
      depthwise_(read.depthwise()) {}

mx::array ConformerLayer::operator()(mx::array x, const mx::array& position, const ops::Band& band, LayerCache& cache,
                                     const CacheUpdate* update) const {
  x = halfStep(x, feedForward1_(normFeedForward1_(x)));
  x = x + attend(normAttention_(x), position, band, cache, update);
  x = x + convolve(normConvolution_(x), cache, update);
  x = halfStep(x, feedForward2_(normFeedForward2_(x)));
  return normOut_(x);
}

mx::array ConformerLayer::attend(const mx::array& x, const mx::array& position, const ops::Band& band,
                                 LayerCache& cache, const CacheUpdate* update) const {
  const int fresh = x.shape(0);
  mx::array keys = linearKey_(x), values = linearValue_(x);
  if (cache.keys && cache.keys->shape(0) > 0) {
    keys = mx::concatenate({*cache.keys, keys}, 0);
    values = mx::concatenate({*cache.values, values}, 0);
  }
  const mx::array mixed = ops::relativeAttention(linearQuery_(x), keys, values, position, biasU_, biasV_, heads_, band);
  if (update) {
    cache.keys = keepPast(keys, fresh, *update);
    cache.values = keepPast(values, fresh, *update);
    if (mutant("cached-row-wrong")) {
      if (cache.values->shape(0) > 0) cache.values = mx::roll(*cache.values, 1, 0);
    }
  }
  return linearOut_(mixed);
}

mx::array ConformerLayer::convolve(const mx::array& x, LayerCache& cache, const CacheUpdate* update) const {
  const mx::array zeros = mx::zeros({pad_, dModel_});
  const mx::array past = cache.convolution && !mutant("chunk-padding") ? *cache.convolution : zeros;
  const mx::array padded = mx::concatenate({past, ops::glu(pointwise1_(x)), zeros}, 0);
  if (update) cache.convolution = rows(padded, update->commit, update->commit + pad_);
  return pointwise2_(depthwise_(padded));
}

}  // namespace parakeet
