#include "model/subsampling_weights.h"

#include <string>
#include <utility>

#include "ops/convolved_size.h"

namespace parakeet {

SubsamplingTensors readSubsampling(const EncoderConfig& config, const Weights& weights) {
  const int channels = config.subsamplingChannels;
  const auto take = [&](int index, const char* what, const std::vector<int64_t>& shape) {
    return weights.take("encoder.pre_encode.conv." + std::to_string(index) + what, shape);
  };
  const auto spatial = [&](int index) -> ConvolutionTensors {
    return {take(index, ".weight", {channels, 3, 3, 1}), take(index, ".bias", {channels})};
  };
  const auto pointwise = [&](int index) -> LinearTensors {
    return {{take(index, ".weight", {channels, 1, 1, channels}), channels},
            take(index, ".bias", {channels}),
            channels,
            channels};
  };
  std::vector<SubsamplingTensors::Stage> stages;
  const int before = config.causal ? 2 : 1;
  int width = ops::convolvedWidth(config.features, before), index = 2;
  for (int factor = 4; factor <= config.subsamplingFactor; factor *= 2, index += 3) {
    stages.push_back({spatial(index), pointwise(index + 1)});
    width = ops::convolvedWidth(width, before);
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
  const LinearTensors out{{std::move(permuted), channels * width},
                          weights.take("encoder.pre_encode.out.bias", {config.dModel}),
                          config.dModel,
                          channels * width};
  return {spatial(0), std::move(stages), out};
}

}  // namespace parakeet
