// Beam search of a token-and-duration transducer, as parakeet-mlx 0.6.0 defines it (`ParakeetTDT.decode_beam`):
// hypotheses are at different frames and are compared across them; a score is a weighted sum of the log-probabilities
// of token and duration; hypotheses with the same tokens at the same frame are merged. Each call ends with one
// hypothesis, so that final tokens stay final.
#include <cmath>
#include <unordered_map>

#include "model/confidence.h"
#include "model/mutant.h"
#include "model/transducer_beam.h"

namespace parakeet {
namespace {

class TdtBeamDecoder : public TransducerBeamDecoder {
 public:
  using TransducerBeamDecoder::TransducerBeamDecoder;

 protected:
  void search(std::vector<Search>& searches) const override {
    for (Search& one : searches) one.found = search(one);
  }

 private:
  std::vector<TransducerHypothesis> search(Search& search) const;
  // Adds the continuations of a hypothesis by a token or a blank, for each of the most likely durations.
  void expand(const TransducerHypothesis& one, const float* logits, TopChoices& top,
              std::vector<TransducerHypothesis>& candidates, std::unordered_map<uint64_t, size_t>& places) const;
};

std::vector<TransducerHypothesis> TdtBeamDecoder::search(Search& search) const {
  TopChoices top;
  std::vector<float> logits;
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

void TdtBeamDecoder::expand(const TransducerHypothesis& one, const float* logits, TopChoices& top,
                            std::vector<TransducerHypothesis>& candidates,
                            std::unordered_map<uint64_t, size_t>& places) const {
  const int blank = rules_.vocabulary, classes = blank + 1;
  const auto kinds = static_cast<int>(rules_.durations.size());
  top.look(logits + classes, kinds, beam_.size);
  const std::vector<Choice> durations = top.likeliest();
  const float confidence = entropyConfidence(logits, classes);
  top.look(logits, classes, beam_.size);
  for (const Choice& choice : top.likeliest(one.boosting, blank, one.lmGain())) {
    const bool isBlank = choice.token == blank;
    TransducerHypothesis advanced = one;
    if (!isBlank) advanced.advance(choice.token);
    const TextKey text = isBlank ? one.text : one.text.with(choice.token);
    for (const Choice& step : durations) {
      const int duration = rules_.durations[step.token];
      TransducerHypothesis next = advanced;
      next.score += choice.score * (1 - beam_.durationReward) + step.score * beam_.durationReward;
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
        if (!isBlank) next.unread = Token{choice.token, one.frame, duration, confidence};
        if (fresh)
          candidates.push_back(std::move(next));
        else
          candidates[place->second] = std::move(next);
      }
      if (!fresh && !mutant("beam-unmerged")) candidates[place->second].score = both;
    }
  }
}

}  // namespace

std::unique_ptr<Decoder> makeTdtBeamDecoder(std::shared_ptr<const Transducer> transducer, const ModelConfig& config,
                                            const Beam& beam) {
  return std::make_unique<TdtBeamDecoder>(
      std::move(transducer), TransducerRules{config.vocabulary, config.durations, config.maxSymbols}, beam);
}

}  // namespace parakeet
