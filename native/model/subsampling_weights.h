// Reads the tensors of the encoder's subsampling. What becomes of them is up to the encoder.
#pragma once

#include <vector>

#include "model/config.h"
#include "model/layer_weights.h"
#include "model/weights.h"

namespace parakeet {

// A 3 × 3 convolution. `weight`: [channels, 3, 3] row-major; `bias`: [channels].
struct ConvolutionTensors {
  std::vector<float> weight, bias;
};

struct SubsamplingTensors {
  ConvolutionTensors first;  // from one channel
  struct Stage {
    ConvolutionTensors depthwise;
    LinearTensors pointwise;
  };
  std::vector<Stage> stages;
  LinearTensors out;  // its inputs are width × channels
};

SubsamplingTensors readSubsampling(const EncoderConfig& config, const Weights& weights);

}  // namespace parakeet
