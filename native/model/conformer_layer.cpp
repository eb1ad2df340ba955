#include "model/conformer_layer.h"

#include <algorithm>
#include <cmath>

#include "model/mutant.h"
#include "ops/profile.h"

namespace parakeet {
namespace mx = mlx::core;

using Shape = std::vector<int64_t>;

// Reads the tensors of one layer by their short names.
class LayerWeights {
 public:
  LayerWeights(const EncoderConfig& config, const Weights& weights, int index, ops::DType dtype)
      : config_(config), weights_(weights), dtype_(dtype), prefix_("encoder.layers." + std::to_string(index) + ".") {}

  std::vector<float> take(const std::string& name, const Shape& shape) const {
    return weights_.take(prefix_ + name, shape);
  }

  ops::Linear linear(const std::string& name, int outputs, int inputs, bool bias) const {
    return ops::Linear(take(name + ".weight", {outputs, inputs}), biasOf(name, outputs, bias), outputs, inputs, dtype_);
  }

  // A convolution of one frame is a linear layer.
  ops::Linear pointwise(const std::string& name, int outputs, int inputs, bool gated) const {
    return ops::Linear(take(name + ".weight", {outputs, 1, inputs}), biasOf(name, outputs, config_.useBias), outputs,
                       inputs, dtype_, {.gated = gated});
  }

  ops::Norm norm(const std::string& name) const {
    return {vector(name + ".weight", {config_.dModel}), vector(name + ".bias", {config_.dModel})};
  }

  // "feed_forward1" or "feed_forward2".
  FeedForward feedForward(const std::string& name) const {
    return {norm("norm_" + name), linear(name + ".linear1", config_.feedForward, config_.dModel, config_.useBias),
            linear(name + ".linear2", config_.dModel, config_.feedForward, config_.useBias)};
  }

  ops::Linear attention(const std::string& name) const {
    return linear("self_attn." + name, config_.dModel, config_.dModel, config_.useBias && name != "linear_pos");
  }

  // One product for what reads the same rows.
  ops::Linear queryKeyValue() const {
    const int width = config_.dModel;
    std::vector<float> weight, bias;
    weight.reserve(static_cast<size_t>(3) * width * width);
    for (const char* part : {"self_attn.linear_q", "self_attn.linear_k", "self_attn.linear_v"}) {
      const std::vector<float> own = take(std::string(part) + ".weight", {width, width});
      const std::vector<float> ownBias = biasOf(part, width, config_.useBias);
      weight.insert(weight.end(), own.begin(), own.end());
      bias.insert(bias.end(), ownBias.begin(), ownBias.end());
    }
    return ops::Linear(std::move(weight), std::move(bias), 3 * width, width, dtype_, {.parts = 3});
  }

  ops::DType dtype() const { return dtype_; }

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
  std::vector<float> biasOf(const std::string& name, int outputs, bool bias) const {
    return bias ? take(name + ".bias", {outputs}) : std::vector<float>{};
  }

  const EncoderConfig& config_;
  const Weights& weights_;
  ops::DType dtype_;
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

// The `pad` rows before row `commit` of what follows `past`; zeros where there was nothing.
mx::array lastRows(const std::optional<mx::array>& past, const mx::array& own, int commit, int pad) {
  if (commit >= pad) return rows(own, commit - pad, commit);
  const mx::array before = past.value_or(mx::zeros({pad, own.shape(1)}));
  const mx::array both = mx::concatenate({before, mx::slice(own, {0, 0}, {commit, own.shape(1)})}, 0);
  return rows(both, commit, commit + pad);
}

}  // namespace

ConformerLayer::ConformerLayer(const EncoderConfig& config, const Weights& weights, int index, ops::DType dtype)
    : ConformerLayer(config, LayerWeights(config, weights, index, dtype)) {}

ConformerLayer::ConformerLayer(const EncoderConfig& config, const LayerWeights& read)
    : dModel_(config.dModel),
      heads_(config.heads),
      pad_((config.convKernel - 1) / 2),
      dtype_(read.dtype()),
      feedForward1_(read.feedForward("feed_forward1")),
      feedForward2_(read.feedForward("feed_forward2")),
      normAttention_(read.norm("norm_self_att")),
      normConvolution_(read.norm("norm_conv")),
      normOut_(read.norm("norm_out")),
      linearQueryKeyValue_(read.queryKeyValue()),
      linearOut_(read.attention("linear_out")),
      linearPosition_(read.attention("linear_pos")),
      biasU_(read.vector("self_attn.pos_bias_u", {heads_, dModel_ / heads_})),
      biasV_(read.vector("self_attn.pos_bias_v", {heads_, dModel_ / heads_})),
      pointwise1_(read.pointwise("conv.pointwise_conv1", 2 * dModel_, dModel_, true)),
      pointwise2_(read.pointwise("conv.pointwise_conv2", dModel_, dModel_, false)),
      depthwise_(read.depthwise()) {}

mx::array ConformerLayer::operator()(mx::array x, const std::vector<LayerItem>& items) const {
  {
    const ops::PartScope part(ops::Part::feedForward);
    x = feedForward1_(x);
  }
  {
    const ops::PartScope part(ops::Part::attention);
    x = attend(x, items);
  }
  {
    const ops::PartScope part(ops::Part::convolution);
    x = convolve(x, items);
  }
  const ops::PartScope part(ops::Part::feedForward);
  return normOut_(feedForward2_(x));
}

mx::array ConformerLayer::attend(const mx::array& x, const std::vector<LayerItem>& items) const {
  const int frames = x.shape(0);
  const mx::array projected = linearQueryKeyValue_(x, {}, &normAttention_);
  std::vector<ops::AttentionItem> attended;
  for (const LayerItem& item : items) {
    const auto own = [&](int part) {
      return mx::slice(projected, {part * frames + item.rows.first, 0}, {part * frames + item.rows.end(), dModel_});
    };
    mx::array keys = own(1), values = own(2);
    LayerCache& cache = *item.cache;
    if (cache.keys && cache.keys->shape(0) > 0) {
      keys = mx::concatenate({*cache.keys, keys}, 0);
      values = mx::concatenate({*cache.values, values}, 0);
    }
    attended.push_back({item.rows, keys, values, item.position, item.farthest, item.band});
    if (!item.update) continue;
    cache.keys = keepPast(keys, item.rows.count, *item.update);
    cache.values = keepPast(values, item.rows.count, *item.update);
    if (mutant("cached-row-wrong")) {
      if (cache.values->shape(0) > 0) cache.values = mx::roll(*cache.values, 1, 0);
    }
  }
  const mx::array query = mx::slice(projected, {0, 0}, {frames, dModel_});
  const mx::array mixed = ops::relativeAttention(query, attended, biasU_, biasV_, heads_, dtype_);
  return linearOut_(mixed, {ops::Activation::none, 1.0f, x});
}

mx::array ConformerLayer::convolve(const mx::array& x, const std::vector<LayerItem>& items) const {
  const mx::array gated = pointwise1_(x, {ops::Activation::glu}, &normConvolution_);
  std::vector<ops::DepthwiseConv1d::Item> convolved;
  for (const LayerItem& item : items) {
    std::optional<mx::array>& past = item.cache->convolution;
    convolved.push_back({item.rows, mutant("chunk-padding") ? std::nullopt : past});
    if (!item.update) continue;
    const mx::array own = mx::slice(gated, {item.rows.first, 0}, {item.rows.end(), dModel_});
    past = lastRows(past, own, item.update->commit, pad_);
  }
  return pointwise2_(depthwise_(gated, convolved), {ops::Activation::none, 1.0f, x});
}

}  // namespace parakeet
