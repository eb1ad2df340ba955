#include "model/padded_layer.h"

#include <utility>

#include "ops/device.h"

namespace parakeet {
namespace mx = mlx::core;
namespace {

mx::array values(const std::vector<float>& from, mx::Shape shape, mx::Dtype type) {
  return mx::astype(ops::fromVector(from, std::move(shape)), type);
}

ops::Norm norm(const NormTensors& tensors, mx::Dtype type) {
  const int width = static_cast<int>(tensors.weight.size());
  return {values(tensors.weight, {width}, type), values(tensors.bias, {width}, type)};
}

ops::Norm norm(const LayerWeights& weights, const std::string& name, mx::Dtype type) {
  return norm(weights.norm(name), type);
}

std::optional<ops::Norm> depthwiseNorm(const LayerWeights& weights, mx::Dtype type) {
  const std::optional<NormTensors> tensors = weights.depthwiseNorm();
  return tensors ? std::optional(norm(*tensors, type)) : std::nullopt;
}

// What the biases that were left out of the residual would have added to it.
class LeftOut {
 public:
  explicit LeftOut(std::shared_ptr<const ops::ShiftedNormKernel> kernel) : kernel_(std::move(kernel)) {}

  // Of the product that is added to the residual `scale` times.
  ops::Dense leave(LinearTensors tensors, float scale, ops::DType dtype) {
    if (sum_.empty() && !tensors.bias.empty()) sum_.resize(tensors.bias.size());
    for (size_t i = 0; i < tensors.bias.size(); i++) sum_[i] += scale * tensors.bias[i];
    tensors.bias.clear();
    return makeDense(tensors, dtype);
  }

  // A norm of the residual as it is now.
  ops::ShiftedNorm norm(ops::Norm plain) const { return {std::move(plain), sum_, kernel_}; }

 private:
  std::vector<float> sum_;
  std::shared_ptr<const ops::ShiftedNormKernel> kernel_;
};

ops::PaddedBlock::FeedForward feedForward(const LayerWeights& weights, const std::string& name, LeftOut& leftOut,
                                          ops::DType dtype) {
  return {leftOut.norm(norm(weights, "norm_" + name, ops::activationType(dtype))), makeDense(weights.up(name), dtype),
          leftOut.leave(weights.down(name), 0.5f, dtype)};
}

std::vector<mx::array> tapsOf(const DepthwiseTensors& tensors, int width, int kernel, mx::Dtype type) {
  std::vector<mx::array> taps;
  for (int k = 0; k < kernel; k++) {
    std::vector<float> tap(width);
    for (int c = 0; c < width; c++) tap[c] = tensors.weight[static_cast<size_t>(c) * kernel + k];
    taps.push_back(values(tap, {1, 1, width}, type));
  }
  return taps;
}

mx::array framesFirst(const DepthwiseTensors& tensors, int width, int kernel) {
  std::vector<float> taps(static_cast<size_t>(width) * kernel);
  for (int c = 0; c < width; c++) {
    for (int k = 0; k < kernel; k++)
      taps[static_cast<size_t>(k) * width + c] = tensors.weight[static_cast<size_t>(c) * kernel + k];
  }
  return values(taps, {kernel, width}, mx::float32);
}

}  // namespace

ops::Dense makeDense(const LinearTensors& tensors, ops::DType dtype) {
  return {tensors.weight.values(), tensors.bias, tensors.outputs, tensors.inputs, dtype};
}

PaddedLayer makePaddedLayer(const EncoderConfig& config, const LayerWeights& weights, ops::DType dtype,
                            const PaddedKernels& kernels) {
  const mx::Dtype type = ops::activationType(dtype);
  const int width = config.dModel, heads = config.heads;
  const DepthwiseTensors depthwise = weights.depthwise();
  LeftOut leftOut(kernels.norm);  // in the order of the block, in which C++ evaluates these
  PaddedLayer layer{
      {
          .feedForward1 = feedForward(weights, "feed_forward1", leftOut, dtype),
          .normAttention = leftOut.norm(norm(weights, "norm_self_att", type)),
          .queryKeyValue = makeDense(weights.queryKeyValue(), dtype),
          .biasU = values(weights.positionBias("u"), {heads, 1, 1, width / heads}, type),
          .biasV = values(weights.positionBias("v"), {heads, 1, 1, width / heads}, type),
          .live = kernels.live,
          .out = leftOut.leave(weights.attentionOut(), 1.0f, dtype),
          .normConvolution = leftOut.norm(norm(weights, "norm_conv", type)),
          .pointwise1 = makeDense(weights.pointwise1(), dtype),
          .taps = tapsOf(depthwise, width, config.convKernel, type),
          .kernel = values(depthwise.weight, {width, config.convKernel, 1}, type),
          .tapBias = values(depthwise.bias, {1, 1, width}, type),
          // With a norm between the convolution and its activation, a cache-aware model's is MLX's operations.
          .gated = weights.depthwiseNorm() ? nullptr : kernels.gated,
          .gatedTaps = framesFirst(depthwise, width, config.convKernel),
          .gatedBias = values(depthwise.bias, {width}, mx::float32),
          .before = config.convBefore(),
          .normDepthwise = depthwiseNorm(weights, type),
          .pointwise2 = leftOut.leave(weights.pointwise2(), 1.0f, dtype),
          .feedForward2 = feedForward(weights, "feed_forward2", leftOut, dtype),
          .normOut = leftOut.norm(norm(weights, "norm_out", type)),
          .heads = heads,
      },
      makeDense(weights.position(), dtype),
  };
  std::vector<mx::array> made = layer.block.taps;
  made.insert(made.end(), {layer.block.kernel, layer.block.tapBias, layer.block.gatedTaps, layer.block.gatedBias,
                           layer.block.biasU, layer.block.biasV});
  for (const ops::ShiftedNorm* own : {&layer.block.feedForward1.norm, &layer.block.feedForward2.norm,
                                      &layer.block.normAttention, &layer.block.normConvolution, &layer.block.normOut})
    for (const mx::array& one : own->arrays()) made.push_back(one);
  if (const auto& own = layer.block.normDepthwise) made.insert(made.end(), {own->weight, own->bias});
  mx::eval(made);
  return layer;
}

}  // namespace parakeet
