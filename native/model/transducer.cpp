#include "model/transducer.h"

#include <cmath>

#include "ops/profile.h"

namespace parakeet {
namespace {

float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

}  // namespace

Transducer::Transducer(const ModelConfig& config, const Weights& weights, ops::DType dtype)
    : hidden_(config.predictor.hidden),
      jointHidden_(config.joint.hidden),
      outputs_(config.vocabulary + 1 + static_cast<int>(config.durations.size())),
      activation_(config.joint.activation),
      embedding_(weights.take("decoder.prediction.embed.weight", {config.vocabulary + 1, hidden_}), {},
                 config.vocabulary + 1, hidden_, dtype),
      predictor_(weights.take("joint.pred.weight", {jointHidden_, hidden_}),
                 weights.take("joint.pred.bias", {jointHidden_}), jointHidden_, hidden_, dtype),
      out_(weights.take("joint.joint_net.2.weight", {outputs_, jointHidden_}),
           weights.take("joint.joint_net.2.bias", {outputs_}), outputs_, jointHidden_, dtype),
      frameProjection_(weights.take("joint.enc.weight", {jointHidden_, config.encoder.dModel}),
                       weights.take("joint.enc.bias", {jointHidden_}), jointHidden_, config.encoder.dModel, dtype) {
  for (int i = 0; i < config.predictor.layers; i++) {
    const std::string name = "decoder.prediction.dec_rnn.lstm." + std::to_string(i);
    const auto gates = [&](const char* which, std::vector<float> bias) {
      return ops::RowMatrix(weights.take(name + which, {4 * hidden_, hidden_}), std::move(bias), 4 * hidden_, hidden_,
                            dtype);
    };
    layers_.push_back({gates(".Wx", weights.take(name + ".bias", {4 * hidden_})), gates(".Wh", {})});
  }
}

PredictorState Transducer::start() const {
  PredictorState state;
  state.hidden.assign(layers_.size() * hidden_, 0.0f);
  state.cell.assign(layers_.size() * hidden_, 0.0f);
  feed(state, std::vector<float>(hidden_, 0.0f));
  return state;
}

void Transducer::advance(PredictorState& state, int token) const {
  std::vector<float> input(hidden_);
  embedding_.row(token, input.data());
  feed(state, std::move(input));
}

void Transducer::feed(PredictorState& state, std::vector<float> input) const {
  std::vector<float> gates(4 * hidden_), recurrent(4 * hidden_);
  for (size_t i = 0; i < layers_.size(); i++) {
    const LstmLayer& layer = layers_[i];
    float* hidden = state.hidden.data() + i * hidden_;
    float* cell = state.cell.data() + i * hidden_;
    layer.inputs.multiply(input.data(), 1, gates.data());
    layer.recurrent.multiply(hidden, 1, recurrent.data());
    for (int k = 0; k < 4 * hidden_; k++) gates[k] += recurrent[k];
    for (int k = 0; k < hidden_; k++) {
      const float candidate = std::tanh(gates[2 * hidden_ + k]);
      cell[k] = sigmoid(gates[hidden_ + k]) * cell[k] + sigmoid(gates[k]) * candidate;
      hidden[k] = sigmoid(gates[3 * hidden_ + k]) * std::tanh(cell[k]);
    }
    input.assign(hidden, hidden + hidden_);
  }
  state.projection.resize(jointHidden_);
  predictor_.multiply(input.data(), 1, state.projection.data());
}

Matrix Transducer::projectFrames(const Matrix& encoded) const {
  const ops::PartScope part(ops::Part::decoder);
  if (encoded.rows == 0) return {{}, 0, jointHidden_};
  return toMatrix(frameProjection_(toArray(encoded)));
}

void Transducer::joint(const std::vector<const float*>& frames, const PredictorState& state,
                       std::vector<float>& logits) const {
  std::vector<float> mixed(frames.size() * jointHidden_);
  float* at = mixed.data();
  for (const float* frame : frames) {
    for (int k = 0; k < jointHidden_; k++) *at++ = frame[k] + state.projection[k];
  }
  if (activation_ == "relu") {
    for (float& value : mixed) value = value > 0 ? value : 0;
  } else if (activation_ == "sigmoid") {
    for (float& value : mixed) value = sigmoid(value);
  } else {
    for (float& value : mixed) value = std::tanh(value);
  }
  logits.resize(frames.size() * outputs_);
  out_.multiply(mixed.data(), static_cast<int>(frames.size()), logits.data());
}

}  // namespace parakeet
