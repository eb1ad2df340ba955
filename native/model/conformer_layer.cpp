#ifdef PARAKEET_CPU_KERNELS

#include "model/conformer_layer.h"

#include <utility>

#include "model/layer_weights.h"
#include "model/make_linear.h"
#include "model/mutant.h"

namespace parakeet {
namespace mx = mlx::core;
namespace {

mx::array vector(const std::vector<float>& values) {
  return ops::fromVector(values, {static_cast<int>(values.size())});
}

ops::Norm norm(const LayerWeights& weights, const std::string& name) {
  const NormTensors tensors = weights.norm(name);
  return {vector(tensors.weight), vector(tensors.bias)};
}

ops::FeedForward feedForward(const LayerWeights& weights, const std::string& name, ops::DType dtype) {
  return {norm(weights, "norm_" + name), makeLinear(weights.up(name), dtype), makeLinear(weights.down(name), dtype)};
}

ops::Block block(const EncoderConfig& config, const LayerWeights& weights, ops::DType dtype) {
  DepthwiseTensors depthwise = weights.depthwise();
  std::optional<ops::DepthwiseConv1d::LayerNorm> depthwiseNorm;
  if (auto tensors = weights.depthwiseNorm()) depthwiseNorm = {std::move(tensors->weight), std::move(tensors->bias)};
  // A convolution that sees a frame too many: the mutant's tests must notice.
  const int before = config.convBefore() - (config.causal && mutant("convolution-ahead") ? 1 : 0);
  return {
      .feedForward1 = feedForward(weights, "feed_forward1", dtype),
      .feedForward2 = feedForward(weights, "feed_forward2", dtype),
      .normAttention = norm(weights, "norm_self_att"),
      .normConvolution = norm(weights, "norm_conv"),
      .normOut = norm(weights, "norm_out"),
      .queryKeyValue = makeLinear(weights.queryKeyValue(), dtype, {.parts = 3}),
      .out = makeLinear(weights.attentionOut(), dtype),
      .biasU = vector(weights.positionBias("u")),
      .biasV = vector(weights.positionBias("v")),
      .pointwise1 = makeLinear(weights.pointwise1(), ops::atLeastInt8(dtype), {.gated = true}),
      .depthwise = ops::DepthwiseConv1d(std::move(depthwise.weight), std::move(depthwise.bias), config.dModel,
                                        config.convKernel, before, std::move(depthwiseNorm)),
      .pointwise2 = makeLinear(weights.pointwise2(), ops::atLeastInt8(dtype)),
      .heads = config.heads,
      .dtype = dtype,
  };
}

}  // namespace

ConformerLayer::ConformerLayer(const EncoderConfig& config, const LayerWeights& weights, ops::DType dtype)
    : block_(std::make_shared<ops::Block>(block(config, weights, dtype))),
      linearPosition_(makeLinear(weights.position(), dtype)) {}

ops::BlockOutput ConformerLayer::operator()(const mx::array& x, const std::vector<ops::BlockItem>& items) const {
  if (mutant("chunk-padding")) {
    std::vector<ops::BlockItem> cut = items;
    for (ops::BlockItem& item : cut) item.past.convolution.reset();
    return ops::runBlock(block_, x, cut);
  }
  ops::BlockOutput output = ops::runBlock(block_, x, items);
  if (mutant("cached-row-wrong")) {
    mx::eval(output.y);
    for (ops::BlockPast& past : output.pasts) {
      ops::BlockCache cache = ops::cacheOf(past, x.shape(1));
      if (past.frames() == 0) continue;
      cache.values = mx::roll(*cache.values, 1, 0);
      past = pastOf(cache);
    }
  }
  return output;
}

mx::array ConformerLayer::project(const std::vector<mx::array>& sinusoids) const {
  std::vector<mx::array> projected;
  for (const mx::array& block : sinusoids) projected.push_back(linearPosition_(block));
  return ops::readablePositions(*block_, projected.size() == 1 ? projected[0] : mx::concatenate(projected, 0));
}

}  // namespace parakeet

#endif
