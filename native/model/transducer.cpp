#include "model/transducer.h"

#include <algorithm>
#include <utility>

#include "ops/lstm.h"

namespace parakeet {
namespace {

// In place of a token: the predictor sees a vector of zeros.
constexpr int nothing = -1;

// Memory for the cached gates: about 800 tokens with 640 cells.
constexpr size_t keptBytes = size_t{8} << 20;

using Join = void (*)(const float*, const float*, float*, int);

Join joinOf(const std::string& activation) {
  if (activation == "relu") return ops::addRelu;
  return activation == "sigmoid" ? ops::addSigmoid : ops::addTanh;
}

}  // namespace

Transducer::Transducer(const ModelConfig& config, const Weights& weights, ops::DType dtype)
    : vocabulary_(config.vocabulary),
      hidden_(config.predictor.hidden),
      jointHidden_(config.joint.hidden),
      outputs_(config.vocabulary + 1 + static_cast<int>(config.durations.size())),
      join_(joinOf(config.joint.activation)),
      embedding_(weights.take("decoder.prediction.embed.weight", {config.vocabulary + 1, hidden_}), hidden_, dtype),
      predictor_(weights.take("joint.pred.weight", {jointHidden_, hidden_}),
                 weights.take("joint.pred.bias", {jointHidden_}), jointHidden_, hidden_, dtype),
      out_(weights.take("joint.joint_net.2.weight", {outputs_, jointHidden_}),
           weights.take("joint.joint_net.2.bias", {outputs_}), outputs_, jointHidden_, dtype),
      frameProjection_(weights.rows("joint.enc.weight", {jointHidden_, config.encoder.dModel}),
                       weights.take("joint.enc.bias", {jointHidden_}), dtype) {
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
  advance({{&state, nothing}});
  return state;
}

void Transducer::gatesOf(const std::vector<Advance>& moves, float* gates) const {
  const size_t width = 4 * static_cast<size_t>(hidden_);
  std::vector<std::pair<int, float*>> missing;
  std::vector<float> embedded;
  for (const auto& [state, token] : moves) {
    if (const auto found = gatesOfTokens_.find(token); found != gatesOfTokens_.end()) {
      std::copy(found->second.begin(), found->second.end(), gates);
    } else {
      missing.emplace_back(token, gates);
      embedded.resize(embedded.size() + hidden_);
      if (token != nothing) embedding_.row(token, embedded.data() + embedded.size() - hidden_);
    }
    gates += width;
  }
  if (missing.empty()) return;
  std::vector<float> computed(missing.size() * width);
  layers_[0].inputs.multiply(embedded.data(), static_cast<int>(missing.size()), computed.data());
  if ((gatesOfTokens_.size() + missing.size()) * width * sizeof(float) > keptBytes) gatesOfTokens_.clear();
  for (size_t i = 0; i < missing.size(); i++) {
    const float* own = computed.data() + i * width;
    std::copy_n(own, width, missing[i].second);
    gatesOfTokens_[missing[i].first].assign(own, own + width);
  }
}

void Transducer::advance(const std::vector<Advance>& moves) const {
  const size_t count = moves.size(), width = 4 * static_cast<size_t>(hidden_);
  const auto rows = static_cast<int>(count);
  std::vector<float> gates(count * width), recurrent(count * width), before(count * hidden_), input(count * hidden_);
  for (size_t i = 0; i < layers_.size(); i++) {
    const LstmLayer& layer = layers_[i];
    if (i == 0)
      gatesOf(moves, gates.data());
    else
      layer.inputs.multiply(input.data(), rows, gates.data());
    for (size_t s = 0; s < count; s++)
      std::copy_n(moves[s].state->hidden.data() + i * hidden_, hidden_, before.data() + s * hidden_);
    layer.recurrent.multiply(before.data(), rows, recurrent.data());
    for (size_t s = 0; s < count; s++) {
      PredictorState& state = *moves[s].state;
      float* hidden = state.hidden.data() + i * hidden_;
      ops::lstmCells(gates.data() + s * width, recurrent.data() + s * width, state.cell.data() + i * hidden_, hidden,
                     hidden_);
      std::copy_n(hidden, hidden_, input.data() + s * hidden_);
    }
  }
  std::vector<float> projections(count * jointHidden_);
  predictor_.multiply(input.data(), rows, projections.data());
  for (size_t s = 0; s < count; s++) {
    const float* projection = projections.data() + s * jointHidden_;
    moves[s].state->projection.assign(projection, projection + jointHidden_);
  }
}

void Transducer::joint(const std::vector<JointInput>& inputs, std::vector<float>& logits) const {
  std::vector<float> mixed(inputs.size() * jointHidden_);
  for (size_t i = 0; i < inputs.size(); i++)
    join_(inputs[i].frame, inputs[i].state->projection.data(), mixed.data() + i * jointHidden_, jointHidden_);
  logits.resize(inputs.size() * outputs_);
  out_.multiply(mixed.data(), static_cast<int>(inputs.size()), logits.data());
}

}  // namespace parakeet
