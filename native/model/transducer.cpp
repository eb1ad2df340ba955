#include "model/transducer.h"

#include <cmath>

#include "ops/cpu/matvec.h"

namespace parakeet {
namespace {

float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

}  // namespace

Transducer::Transducer(const ModelConfig& config, const Weights& weights)
    : hidden_(config.predictor.hidden),
      jointHidden_(config.joint.hidden),
      outputs_(config.vocabulary + 1 + static_cast<int>(config.durations.size())),
      activation_(config.joint.activation),
      embedding_(weights.take("decoder.prediction.embed.weight", {config.vocabulary + 1, hidden_})),
      predictorWeight_(weights.take("joint.pred.weight", {jointHidden_, hidden_})),
      predictorBias_(weights.take("joint.pred.bias", {jointHidden_})),
      outWeight_(weights.take("joint.joint_net.2.weight", {outputs_, jointHidden_})),
      outBias_(weights.take("joint.joint_net.2.bias", {outputs_})),
      frameProjection_(weights.take("joint.enc.weight", {jointHidden_, config.encoder.dModel}),
                       weights.take("joint.enc.bias", {jointHidden_}), jointHidden_, config.encoder.dModel) {
  for (int i = 0; i < config.predictor.layers; i++) {
    const std::string name = "decoder.prediction.dec_rnn.lstm." + std::to_string(i);
    layers_.push_back({weights.take(name + ".Wx", {4 * hidden_, hidden_}),
                       weights.take(name + ".Wh", {4 * hidden_, hidden_}),
                       weights.take(name + ".bias", {4 * hidden_})});
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
  const auto row = embedding_.begin() + static_cast<long>(token) * hidden_;
  feed(state, std::vector<float>(row, row + hidden_));
}

void Transducer::feed(PredictorState& state, std::vector<float> input) const {
  std::vector<float> gates(4 * hidden_), recurrent(4 * hidden_);
  for (size_t i = 0; i < layers_.size(); i++) {
    const LstmLayer& layer = layers_[i];
    float* hidden = state.hidden.data() + i * hidden_;
    float* cell = state.cell.data() + i * hidden_;
    ops::matvec(layer.inputs.data(), layer.bias.data(), input.data(), gates.data(), 4 * hidden_, hidden_);
    ops::matvec(layer.recurrent.data(), nullptr, hidden, recurrent.data(), 4 * hidden_, hidden_);
    for (int k = 0; k < 4 * hidden_; k++) gates[k] += recurrent[k];
    for (int k = 0; k < hidden_; k++) {
      const float candidate = std::tanh(gates[2 * hidden_ + k]);
      cell[k] = sigmoid(gates[hidden_ + k]) * cell[k] + sigmoid(gates[k]) * candidate;
      hidden[k] = sigmoid(gates[3 * hidden_ + k]) * std::tanh(cell[k]);
    }
    input.assign(hidden, hidden + hidden_);
  }
  state.projection.resize(jointHidden_);
  ops::matvec(predictorWeight_.data(), predictorBias_.data(), input.data(), state.projection.data(), jointHidden_,
              hidden_);
}

Matrix Transducer::projectFrames(const Matrix& encoded) const {
  if (encoded.rows == 0) return {{}, 0, jointHidden_};
  return toMatrix(frameProjection_(toArray(encoded)));
}

void Transducer::joint(const float* frame, const PredictorState& state, std::vector<float>& logits) const {
  std::vector<float> mixed(jointHidden_);
  for (int k = 0; k < jointHidden_; k++) mixed[k] = frame[k] + state.projection[k];
  if (activation_ == "relu") {
    for (float& value : mixed) value = value > 0 ? value : 0;
  } else if (activation_ == "sigmoid") {
    for (float& value : mixed) value = sigmoid(value);
  } else {
    for (float& value : mixed) value = std::tanh(value);
  }
  logits.resize(outputs_);
  ops::matvec(outWeight_.data(), outBias_.data(), mixed.data(), logits.data(), outputs_, jointHidden_);
}

}  // namespace parakeet
