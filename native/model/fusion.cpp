#include "model/fusion.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "error.h"
#include "model/mutant.h"

namespace parakeet {

bool Fusion::operator==(const Fusion& other) const {
  return weight == other.weight && tokenBonus == other.tokenBonus && internalWeight == other.internalWeight &&
         hash() == other.hash();
}

uint64_t Fusion::hash() const {
  uint64_t hash = lm::hashStart;
  for (const Part& part : parts) {
    const std::array<uint64_t, 2> words{part.model->hash(), std::bit_cast<uint64_t>(part.share)};
    hash = lm::hashWords(hash, words.data(), words.size());
  }
  return hash;
}

LmState::LmState(const Fusion* fusion) : fusion_(fusion) {
  if (!fusion_) return;
  for (size_t i = 0; i < fusion_->parts.size(); i++) contexts_[i] = fusion_->parts[i].model->start();
}

double LmState::gain(int token, const float* internal) const {
  if (!fusion_) return 0;
  const auto& parts = fusion_->parts;
  const auto id = static_cast<uint32_t>(token);
  double score = 0;
  if (parts.size() == 1) {
    score = parts[0].model->score(contexts_[0], id);
  } else {
    double sum = 0;
    for (size_t i = 0; i < parts.size(); i++)
      sum += parts[i].share * std::exp(static_cast<double>(parts[i].model->score(contexts_[i], id)));
    score = std::log(std::max(sum, 1e-30));
  }
  const double own = internal ? fusion_->internalWeight * static_cast<double>(internal[token]) : 0;
  return fusion_->weight * score + fusion_->tokenBonus - own;
}

void LmState::advance(int token) {
  if (!fusion_ || mutant("lm-stuck")) return;
  for (size_t i = 0; i < fusion_->parts.size(); i++)
    contexts_[i] = fusion_->parts[i].model->next(contexts_[i], static_cast<uint32_t>(token));
}

void LmState::mustBeOwn(uint64_t models) const {
  if (models == (fusion_ ? fusion_->hash() : 0)) return;
  throw Error("ERR_PARAKEET_INVALID_SNAPSHOT",
              "Expected a snapshot of a stream with the same language model but received one of another");
}

bool LmState::valid() const {
  for (size_t i = 0; i < fusion_->parts.size(); i++)
    if (!fusion_->parts[i].model->holds(contexts_[i])) return false;
  return true;
}

}  // namespace parakeet
