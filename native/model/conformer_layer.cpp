#include "model/conformer_layer.h"

#include <cmath>

#include "model/mutant.h"

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

  ops::Block block() const {
    const int width = config_.dModel;
    return {
        .feedForward1 = feedForward("feed_forward1"),
        .feedForward2 = feedForward("feed_forward2"),
        .normAttention = norm("norm_self_att"),
        .normConvolution = norm("norm_conv"),
        .normOut = norm("norm_out"),
        .queryKeyValue = queryKeyValue(),
        .out = attention("linear_out"),
        .biasU = vector("self_attn.pos_bias_u", {config_.heads, width / config_.heads}),
        .biasV = vector("self_attn.pos_bias_v", {config_.heads, width / config_.heads}),
        .pointwise1 = pointwise("conv.pointwise_conv1", 2 * width, width, true),
        .depthwise = depthwise(),
        .pointwise2 = pointwise("conv.pointwise_conv2", width, width, false),
        .heads = config_.heads,
        .dtype = dtype_,
    };
  }

  // "feed_forward1" or "feed_forward2".
  ops::FeedForward feedForward(const std::string& name) const {
    return {norm("norm_" + name), linear(name + ".linear1", config_.feedForward, config_.dModel, config_.useBias),
            linear(name + ".linear2", config_.dModel, config_.feedForward, config_.useBias)};
  }

  ops::Linear attention(const std::string& name) const {
    return linear("self_attn." + name, config_.dModel, config_.dModel, config_.useBias && name != "linear_pos");
  }

  // One product for all matrices that read the same rows.
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

ConformerLayer::ConformerLayer(const EncoderConfig& config, const Weights& weights, int index, ops::DType dtype)
    : ConformerLayer(LayerWeights(config, weights, index, dtype)) {}

ConformerLayer::ConformerLayer(const LayerWeights& read)
    : block_(std::make_shared<const ops::Block>(read.block())), linearPosition_(read.attention("linear_pos")) {}

ops::BlockOutput ConformerLayer::operator()(const mx::array& x, const std::vector<ops::BlockItem>& items) const {
  if (mutant("chunk-padding")) {
    std::vector<ops::BlockItem> cut = items;
    for (ops::BlockItem& item : cut) item.cache.convolution.reset();
    return ops::runBlock(block_, x, cut);
  }
  ops::BlockOutput output = ops::runBlock(block_, x, items);
  if (mutant("cached-row-wrong")) {
    for (ops::BlockCache& cache : output.caches) {
      if (cache.values && cache.values->shape(0) > 0) cache.values = mx::roll(*cache.values, 1, 0);
    }
  }
  return output;
}

}  // namespace parakeet
