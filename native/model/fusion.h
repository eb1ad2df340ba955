// Language models beside the acoustic one (shallow fusion): what a token adds to a hypothesis' score, and the place of
// one text in the models.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "lm/language_model.h"

namespace parakeet {

// How much language models count. Several are interpolated: p = Σ share · p of each.
struct Fusion {
  static constexpr size_t mostModels = 4;
  struct Part {
    std::shared_ptr<const lm::LanguageModel> model;
    double share = 1;
  };
  std::vector<Part> parts;
  double weight = 0;          // of ln p of a token by the language models
  double tokenBonus = 0;      // added for each token
  double internalWeight = 0;  // of ln p of a token by the predictor alone, which is taken off

  bool operator==(const Fusion& other) const;
  // Of the models and their shares: a place in other models means nothing.
  uint64_t hash() const;
};

// The place of one hypothesis in the models. A value; the Fusion belongs to the decoder, which outlives it.
class LmState {
 public:
  LmState() = default;
  explicit LmState(const Fusion* fusion);
  bool active() const { return fusion_ != nullptr; }

  // What the token adds to the score. `internal`: ln p of each token by the predictor alone; may be null.
  double gain(int token, const float* internal) const;
  void advance(int token);

  template <class Archive>
  void archive(Archive& archive) {
    uint64_t models = fusion_ ? fusion_->hash() : 0;
    archive(models);
    if constexpr (!Archive::writing) mustBeOwn(models);
    if (!fusion_) return;
    archive(contexts_);
    if constexpr (!Archive::writing) Archive::require(valid());
  }

 private:
  // Throws ERR_PARAKEET_INVALID_SNAPSHOT for a snapshot with other language models.
  void mustBeOwn(uint64_t models) const;
  bool valid() const;

  const Fusion* fusion_ = nullptr;
  std::array<lm::Context, Fusion::mostModels> contexts_;
};

// What a hypothesis' next token adds: its place in the language models, and the predictor's own probabilities.
struct LmGain {
  const LmState* state = nullptr;
  const float* internal = nullptr;
  double operator()(int token) const { return state ? state->gain(token, internal) : 0; }
};

}  // namespace parakeet
