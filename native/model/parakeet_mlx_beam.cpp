// Beam search of a transducer as parakeet-mlx 0.7.0 defines it (`ParakeetTDT.decode_beam`, `ParakeetRNNT.decode_beam`):
// hypotheses are at different frames and are compared across them; with durations, a score is a weighted sum of the
// log-probabilities of token and duration; hypotheses with the same tokens at the same frame are merged. What phrases
// add is no part of the score, and what was begun does not count at the end. Each call ends with one hypothesis, so
// that final tokens stay final.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "model/mutant.h"
#include "model/transducer_beam.h"

namespace parakeet {
namespace {

class ParakeetMlxBeamDecoder : public TransducerBeamDecoder {
 public:
  using TransducerBeamDecoder::TransducerBeamDecoder;

 protected:
  void search(std::vector<Search>& searches) const override {
    for (Search& one : searches) one.found = search(one);
  }
  size_t best(const std::vector<TransducerHypothesis>& found) const override;

 private:
  std::vector<TransducerHypothesis> search(Search& search) const;
  // Adds the continuations of a hypothesis by a token or a blank, for each of the most likely durations.
  void expand(const TransducerHypothesis& one, const float* logits, TopChoices& top,
              std::vector<TransducerHypothesis>& candidates, std::unordered_map<uint64_t, size_t>& places) const;
};

std::vector<TransducerHypothesis> ParakeetMlxBeamDecoder::search(Search& search) const {
  TopChoices top;
  std::vector<float> logits;
  search.first.bonus = search.first.boosting.potential();
  std::vector<TransducerHypothesis> finished, active{std::move(search.first)};
  const auto enough = static_cast<size_t>(std::max(1.0, std::round(beam_.size * beam_.patience)));
  while (finished.size() < enough && !active.empty()) {
    readTokens(*transducer_, fusion(), search.histories, active);
    scoreAll(*transducer_, *search.frames, active, logits);
    std::vector<TransducerHypothesis> candidates;
    std::unordered_map<uint64_t, size_t> places;
    for (size_t i = 0; i < active.size(); i++)
      expand(active[i], logits.data() + i * transducer_->outputs(), top, candidates, places);
    active.clear();
    for (TransducerHypothesis& one : candidates)
      (one.frame >= search.span.end ? finished : active).push_back(std::move(one));
    keepBest(active, beam_.size);
    for (TransducerHypothesis& one : active) one.cross(search.span.border);
  }
  finished.insert(finished.end(), active.begin(), active.end());
  for (TransducerHypothesis& one : finished) one.cross(search.span.border);
  return finished;
}

void ParakeetMlxBeamDecoder::expand(const TransducerHypothesis& one, const float* logits, TopChoices& top,
                                    std::vector<TransducerHypothesis>& candidates,
                                    std::unordered_map<uint64_t, size_t>& places) const {
  const int blank = rules_.vocabulary, classes = blank + 1;
  const auto kinds = static_cast<int>(rules_.durations.size());
  // Without durations, a blank moves by one frame and a token by none.
  const double share = kinds > 0 ? 1 - beam_.durationReward : 1;
  std::vector<Choice> durations{{0, 0}};
  if (kinds > 0) {
    top.look(logits + classes, kinds, beam_.size);
    durations = top.likeliest();
    // As there, the less likely first: of three ways to one text, the first two count together against the third.
    std::reverse(durations.begin(), durations.end());
  }
  const float confidence = confidenceOf(measure(), logits, classes);
  top.look(logits, classes, beam_.size);
  for (const Choice& choice : top.likeliest(one.boosting, blank, one.lmGain(), share)) {
    const bool isBlank = choice.token == blank;
    TransducerHypothesis advanced = one;
    advanced.bonus += choice.bonus;
    if (!isBlank) advanced.advance(choice.token);
    const TextKey text = isBlank ? one.text : one.text.with(choice.token);
    for (const Choice& step : durations) {
      const int duration = kinds > 0 ? rules_.durations[step.token] : isBlank ? 1 : 0;
      TransducerHypothesis next = advanced;
      next.score += choice.score + step.score * (1 - share);
      next.symbols = duration != 0 ? 0 : one.symbols + 1;
      next.frame += duration;
      if (next.symbols >= rules_.maxSymbols) {
        next.frame = one.frame + 1;
        next.symbols = 0;
      }
      next.text = text;
      const uint64_t key = text.hash ^ (static_cast<uint64_t>(next.frame) * 0x9e3779b97f4a7c15ull);
      const auto [place, fresh] = places.try_emplace(key, candidates.size());
      const double before = fresh ? impossible : candidates[place->second].score;
      const double both = logAdd(before, next.score);
      if (fresh || next.score > before) {
        if (!isBlank) next.unread = Token{choice.token, one.frame, rules_.lasts(step.token), confidence};
        if (fresh)
          candidates.push_back(std::move(next));
        else
          candidates[place->second] = std::move(next);
      }
      if (!fresh && !mutant("beam-unmerged")) candidates[place->second].score = both;
    }
  }
}

size_t ParakeetMlxBeamDecoder::best(const std::vector<TransducerHypothesis>& found) const {
  const auto size = [this](const TransducerHypothesis& one) {
    return std::pow(std::max(1, one.text.count), beam_.lengthPenalty);
  };
  // With durations, the phrases' part is divided by the length of the longest text.
  double longest = 0;
  for (const TransducerHypothesis& one : found) longest = std::max(longest, size(one));
  const auto worth = [&](const TransducerHypothesis& one) {
    const double bonus = one.bonus + one.boosting.settle();
    return rules_.durations.empty() ? (one.score + bonus) / size(one) : one.score / size(one) + bonus / longest;
  };
  const auto best = std::max_element(
      found.begin(), found.end(),
      [&](const TransducerHypothesis& a, const TransducerHypothesis& b) { return worth(a) < worth(b); });
  return static_cast<size_t>(best - found.begin());
}

}  // namespace

std::unique_ptr<Decoder> makeParakeetMlxBeamDecoder(std::shared_ptr<const Transducer> transducer,
                                                    const ModelConfig& config, const Beam& beam) {
  return std::make_unique<ParakeetMlxBeamDecoder>(
      std::move(transducer), TransducerRules{config.vocabulary, config.durations, config.maxSymbols}, beam);
}

}  // namespace parakeet
