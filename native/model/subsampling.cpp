#include "model/subsampling.h"

namespace parakeet {
namespace mx = mlx::core;

Subsampling::Subsampling(const EncoderConfig& config, const Weights& weights) : factor_(config.subsamplingFactor) {
  const int channels = config.subsamplingChannels;
  const auto convolution = [&](int index, int inputs, int kernel, int stride, int groups) {
    const std::string name = "encoder.pre_encode.conv." + std::to_string(index);
    return ops::Conv2d(weights.take(name + ".weight", {channels, kernel, kernel, inputs / groups}),
                       weights.take(name + ".bias", {channels}), channels, inputs, kernel, stride, groups);
  };
  first_ = std::make_unique<ops::Conv2d>(convolution(0, 1, 3, 2, 1));
  int width = (config.features - 1) / 2 + 1;
  int index = 2;
  for (int factor = 4; factor <= factor_; factor *= 2, index += 3) {
    stages_.push_back({convolution(index, channels, 3, 2, channels), convolution(index + 1, channels, 1, 1, 1)});
    width = (width - 1) / 2 + 1;
  }
  // The trained layer sees channels × width, our rows are width × channels: permute its columns once.
  const std::vector<float> trained = weights.take("encoder.pre_encode.out.weight", {config.dModel, channels * width});
  std::vector<float> permuted(trained.size());
  for (int row = 0; row < config.dModel; row++) {
    const size_t base = static_cast<size_t>(row) * channels * width;
    for (int c = 0; c < channels; c++) {
      for (int f = 0; f < width; f++) permuted[base + f * channels + c] = trained[base + c * width + f];
    }
  }
  out_ =
      std::make_unique<ops::Linear>(std::move(permuted), weights.take("encoder.pre_encode.out.bias", {config.dModel}),
                                    config.dModel, channels * width);
}

mx::array Subsampling::operator()(const mx::array& features, bool atStart, bool atEnd) const {
  const int top = atStart ? 1 : 0, bottom = atEnd ? 1 : 0;
  mx::array x = (*first_)(mx::expand_dims(features, 2), top, bottom, ops::Activation::relu);
  for (const Stage& stage : stages_) x = stage.pointwise(stage.depthwise(x, top, bottom), 0, 0, ops::Activation::relu);
  return (*out_)(mx::reshape(x, {x.shape(0), x.shape(1) * x.shape(2)}));
}

}  // namespace parakeet
