#include "model/transducer.h"

#include <algorithm>
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
  feed({&state}, std::vector<float>(hidden_, 0.0f));
  return state;
}

void Transducer::advance(const std::vector<Advance>& moves) const {
  std::vector<PredictorState*> states;
  std::vector<float> input(moves.size() * hidden_);
  for (const auto& [state, token] : moves) {
    embedding_.row(token, input.data() + states.size() * hidden_);
    states.push_back(state);
  }
  feed(states, std::move(input));
}

void Transducer::feed(const std::vector<PredictorState*>& states, std::vector<float> input) const {
  const size_t count = states.size();
  const auto rows = static_cast<int>(count);
  std::vector<float> gates(count * 4 * hidden_), recurrent(count * 4 * hidden_), before(count * hidden_);
  for (size_t i = 0; i < layers_.size(); i++) {
    const LstmLayer& layer = layers_[i];
    for (size_t s = 0; s < count; s++)
      std::copy_n(states[s]->hidden.data() + i * hidden_, hidden_, before.data() + s * hidden_);
    layer.inputs.multiply(input.data(), rows, gates.data());
    layer.recurrent.multiply(before.data(), rows, recurrent.data());
    for (size_t k = 0; k < gates.size(); k++) gates[k] += recurrent[k];
    for (size_t s = 0; s < count; s++) {
      const float* gate = gates.data() + s * 4 * hidden_;
      float* hidden = states[s]->hidden.data() + i * hidden_;
      float* cell = states[s]->cell.data() + i * hidden_;
      for (int k = 0; k < hidden_; k++) {
        const float candidate = std::tanh(gate[2 * hidden_ + k]);
        cell[k] = sigmoid(gate[hidden_ + k]) * cell[k] + sigmoid(gate[k]) * candidate;
        hidden[k] = sigmoid(gate[3 * hidden_ + k]) * std::tanh(cell[k]);
      }
      std::copy_n(hidden, hidden_, input.data() + s * hidden_);
    }
  }
  std::vector<float> projections(count * jointHidden_);
  predictor_.multiply(input.data(), rows, projections.data());
  for (size_t s = 0; s < count; s++) {
    const float* projection = projections.data() + s * jointHidden_;
    states[s]->projection.assign(projection, projection + jointHidden_);
  }
}

Matrix Transducer::projectFrames(const Matrix& encoded) const {
  const ops::PartScope part(ops::Part::decoder);
  if (encoded.rows == 0) return {{}, 0, jointHidden_};
  return toMatrix(frameProjection_(toArray(encoded)));
}

void Transducer::joint(const std::vector<JointInput>& inputs, std::vector<float>& logits) const {
  std::vector<float> mixed(inputs.size() * jointHidden_);
  float* at = mixed.data();
  for (const auto& [frame, state] : inputs) {
    for (int k = 0; k < jointHidden_; k++) *at++ = frame[k] + state->projection[k];
  }
  if (activation_ == "relu") {
    for (float& value : mixed) value = value > 0 ? value : 0;
  } else if (activation_ == "sigmoid") {
    for (float& value : mixed) value = sigmoid(value);
  } else {
    for (float& value : mixed) value = std::tanh(value);
  }
  logits.resize(inputs.size() * outputs_);
  out_.multiply(mixed.data(), static_cast<int>(inputs.size()), logits.data());
}

}  // namespace parakeet
