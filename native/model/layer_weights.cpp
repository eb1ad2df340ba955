#include "model/layer_weights.h"

#include <cmath>
#include <utility>

namespace parakeet {

LayerWeights::LayerWeights(const EncoderConfig& config, const Weights& weights, int index)
    : config_(config), weights_(weights), prefix_("encoder.layers." + std::to_string(index) + ".") {}

std::vector<float> LayerWeights::take(const std::string& name, const std::vector<int64_t>& shape) const {
  return weights_.take(prefix_ + name, shape);
}

std::vector<float> LayerWeights::biasOf(const std::string& name, int outputs, bool bias) const {
  return bias ? take(name + ".bias", {outputs}) : std::vector<float>{};
}

LinearTensors LayerWeights::linear(const std::string& name, int outputs, int inputs, bool bias) const {
  return {weights_.rows(prefix_ + name + ".weight", {outputs, inputs}), biasOf(name, outputs, bias), outputs, inputs};
}

LinearTensors LayerWeights::pointwise(const std::string& name, int outputs) const {
  const int inputs = config_.dModel;
  return {weights_.rows(prefix_ + name + ".weight", {outputs, 1, inputs}), biasOf(name, outputs, config_.useBias),
          outputs, inputs};
}

NormTensors LayerWeights::norm(const std::string& name) const {
  return {take(name + ".weight", {config_.dModel}), take(name + ".bias", {config_.dModel})};
}

LinearTensors LayerWeights::up(const std::string& name) const {
  return linear(name + ".linear1", config_.feedForward, config_.dModel, config_.useBias);
}

LinearTensors LayerWeights::down(const std::string& name) const {
  return linear(name + ".linear2", config_.dModel, config_.feedForward, config_.useBias);
}

LinearTensors LayerWeights::queryKeyValue() const {
  const int width = config_.dModel;
  LinearTensors all = linear("self_attn.linear_q", width, width, config_.useBias);
  for (const char* part : {"self_attn.linear_k", "self_attn.linear_v"}) {
    const LinearTensors own = linear(part, width, width, config_.useBias);
    all.weight.append(own.weight);
    all.bias.insert(all.bias.end(), own.bias.begin(), own.bias.end());
  }
  all.outputs = 3 * width;
  return all;
}

LinearTensors LayerWeights::attentionOut() const {
  return linear("self_attn.linear_out", config_.dModel, config_.dModel, config_.useBias);
}

LinearTensors LayerWeights::position() const {
  return linear("self_attn.linear_pos", config_.dModel, config_.dModel, false);
}

std::vector<float> LayerWeights::positionBias(const std::string& which) const {
  return take("self_attn.pos_bias_" + which, {config_.heads, config_.dModel / config_.heads});
}

LinearTensors LayerWeights::pointwise1() const { return pointwise("conv.pointwise_conv1", 2 * config_.dModel); }

LinearTensors LayerWeights::pointwise2() const { return pointwise("conv.pointwise_conv2", config_.dModel); }

DepthwiseTensors LayerWeights::depthwise() const {
  const int channels = config_.dModel, kernel = config_.convKernel;
  DepthwiseTensors tensors{
      take("conv.depthwise_conv.weight", {channels, kernel, 1}),
      config_.useBias ? take("conv.depthwise_conv.bias", {channels}) : std::vector<float>(channels)};
  if (config_.causal) return tensors;
  const auto gamma = take("conv.batch_norm.weight", {channels}), beta = take("conv.batch_norm.bias", {channels});
  const auto mean = take("conv.batch_norm.running_mean", {channels}),
             variance = take("conv.batch_norm.running_var", {channels});
  for (int c = 0; c < channels; c++) {
    const float scale = gamma[c] / std::sqrt(variance[c] + 1e-5f);
    for (int k = 0; k < kernel; k++) tensors.weight[static_cast<size_t>(c) * kernel + k] *= scale;
    tensors.bias[c] = (tensors.bias[c] - mean[c]) * scale + beta[c];
  }
  return tensors;
}

std::optional<NormTensors> LayerWeights::depthwiseNorm() const {
  // NeMo's name for either kind of norm.
  return config_.causal ? std::optional(norm("conv.batch_norm")) : std::nullopt;
}

}  // namespace parakeet
