// Reads the tensors of one layer of the encoder by their short names. What becomes of them is up to the encoder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/config.h"
#include "model/weights.h"

namespace parakeet {

// `weight`: [outputs, inputs]. `bias`: [outputs], or empty for none.
struct LinearTensors {
  ops::WeightRows weight;
  std::vector<float> bias;
  int outputs, inputs;
};

// [d] each.
struct NormTensors {
  std::vector<float> weight, bias;
};

// `weight`: [channels, kernel]; `bias`: [channels].
struct DepthwiseTensors {
  std::vector<float> weight, bias;
};

class LayerWeights {
 public:
  LayerWeights(const EncoderConfig& config, const Weights& weights, int index);

  NormTensors norm(const std::string& name) const;
  // `name`: "feed_forward1" or "feed_forward2".
  LinearTensors up(const std::string& name) const;
  LinearTensors down(const std::string& name) const;
  // One product for all matrices that read the same rows: three parts.
  LinearTensors queryKeyValue() const;
  LinearTensors attentionOut() const;
  LinearTensors position() const;
  // The biases u and v of attention, [d].
  std::vector<float> positionBias(const std::string& which) const;
  // Convolutions of one frame are linear layers.
  LinearTensors pointwise1() const;
  LinearTensors pointwise2() const;
  // The depthwise convolution. A batch norm after it is folded in: both are linear at inference.
  DepthwiseTensors depthwise() const;
  // The layer norm after it, of a cache-aware model.
  std::optional<NormTensors> depthwiseNorm() const;

 private:
  std::vector<float> take(const std::string& name, const std::vector<int64_t>& shape) const;
  LinearTensors linear(const std::string& name, int outputs, int inputs, bool bias) const;
  LinearTensors pointwise(const std::string& name, int outputs) const;
  std::vector<float> biasOf(const std::string& name, int outputs, bool bias) const;

  const EncoderConfig& config_;
  const Weights& weights_;
  std::string prefix_;
};

}  // namespace parakeet
