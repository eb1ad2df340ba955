// Beam search of a transducer without durations, in step with time (Saon et al. 2020, "Alignment-length synchronous
// decoding", section 2.2: time-synchronous decoding; NeMo's `tsd`): all hypotheses are at the same frame, emit tokens
// there, and advance with a blank. Hypotheses with the same tokens are merged. Each call ends with one hypothesis, so
// that final tokens stay final.
#include <unordered_map>

#include "model/transducer_beam.h"

namespace parakeet {
namespace {

class RnntBeamDecoder : public TransducerBeamDecoder {
 public:
  using TransducerBeamDecoder::TransducerBeamDecoder;

 protected:
  using Hypotheses = std::vector<TransducerHypothesis>;
  void search(std::vector<Search>& searches) const override {
    for (Search& one : searches) one.found = search(one);
  }

 private:
  Hypotheses search(Search& search) const;
  // Expands the hypotheses at one frame; the results are at the next one.
  Hypotheses frame(const DecoderFrames& frames, Hypotheses active, Histories& histories) const;
};

RnntBeamDecoder::Hypotheses RnntBeamDecoder::search(Search& search) const {
  int64_t at = search.first.frame;
  search.first.symbols = 0;
  Hypotheses active{std::move(search.first)};
  for (; at < search.span.end; at++) {
    active = frame(*search.frames, std::move(active), search.histories);
    for (TransducerHypothesis& one : active) one.cross(search.span.border);
  }
  return active;
}

RnntBeamDecoder::Hypotheses RnntBeamDecoder::frame(const DecoderFrames& frames, Hypotheses active,
                                                   Histories& histories) const {
  const int blank = rules_.vocabulary, classes = blank + 1;
  Hypotheses done;
  std::unordered_map<uint64_t, size_t> places;
  const auto goOn = [&](TransducerHypothesis next) {
    next.frame++;
    next.symbols = 0;
    const auto [place, fresh] = places.try_emplace(next.text.hash, done.size());
    if (fresh) {
      done.push_back(std::move(next));
      return;
    }
    TransducerHypothesis& other = done[place->second];
    const double both = logAdd(other.score, next.score);
    if (next.score > other.score) other = std::move(next);
    other.score = both;
  };
  TopChoices top;
  std::vector<float> logits;
  while (!active.empty()) {
    readTokens(*transducer_, fusion(), histories, active);
    scoreAll(*transducer_, frames, active, logits);
    Hypotheses more;
    for (size_t i = 0; i < active.size(); i++) {
      const TransducerHypothesis& one = active[i];
      const float* own = logits.data() + i * transducer_->outputs();
      top.look(own, classes, beam_.size);
      TransducerHypothesis silent = one;
      silent.score += top.logProbability(blank);
      goOn(std::move(silent));
      const float confidence = confidenceOf(measure(), own, classes);
      for (const Choice& choice : top.likeliest(one.boosting, blank, one.lmGain())) {
        if (choice.token == blank) continue;
        TransducerHypothesis next = one;
        next.score += choice.sum();
        next.symbols++;
        next.text = one.text.with(choice.token);
        next.unread = Token{choice.token, one.frame, 1, confidence};
        next.advance(choice.token);
        // As in greedy decoding, the last token that fits on a frame needs no blank after it.
        if (next.symbols >= rules_.maxSymbols)
          goOn(std::move(next));
        else
          more.push_back(std::move(next));
      }
    }
    keepBest(more, beam_.size);
    // No token can overtake `size` hypotheses that are already finished: scores only decrease (except by boosting).
    const auto better = std::count_if(done.begin(), done.end(), [&](const TransducerHypothesis& one) {
      return !more.empty() && one.score > more[0].score;
    });
    if (better >= beam_.size) more.clear();
    active = std::move(more);
  }
  keepBest(done, beam_.size);
  return done;
}

}  // namespace

std::unique_ptr<Decoder> makeRnntBeamDecoder(std::shared_ptr<const Transducer> transducer, const ModelConfig& config,
                                             const Beam& beam) {
  return std::make_unique<RnntBeamDecoder>(std::move(transducer),
                                           TransducerRules{config.vocabulary, {}, config.maxSymbols}, beam);
}

}  // namespace parakeet
