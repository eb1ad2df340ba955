// Beam search of a transducer without durations, in step with time (Saon et al. 2020, "Alignment-length synchronous
// decoding", section 2.2: time-synchronous decoding; NeMo's `tsd`): all hypotheses stand at one frame, take tokens
// there, and go on by a blank. Hypotheses with the same tokens become one. Each call ends with one hypothesis, so that
// what is final stays final.
#include <unordered_map>

#include "model/confidence.h"
#include "model/transducer_beam.h"
#include "model/transducer_state.h"
#include "ops/profile.h"

namespace parakeet {
namespace {

class RnntBeamDecoder : public Decoder {
 public:
  RnntBeamDecoder(std::shared_ptr<const Transducer> transducer, TransducerRules rules, const Beam& beam)
      : transducer_(std::move(transducer)), rules_(std::move(rules)), beam_(beam) {}

  Matrix prepare(const Matrix& encoded) const override { return transducer_->projectFrames(encoded); }
  std::unique_ptr<DecoderState> start() const override {
    return std::make_unique<TransducerState>(transducer_->start());
  }
  void decode(const std::vector<DecoderJob>& jobs) const override {
    const ops::PartScope part(ops::Part::decoder);
    const ops::PartTimer timer(ops::Part::decoder);
    for (const DecoderJob& job : jobs) search(job);
  }

 private:
  using Hypotheses = std::vector<TransducerHypothesis>;
  void search(const DecoderJob& job) const;
  // What becomes of the hypotheses at one frame: they stand at the next one.
  Hypotheses frame(const DecoderJob& job, Hypotheses active, Histories& histories) const;

  std::shared_ptr<const Transducer> transducer_;
  TransducerRules rules_;
  Beam beam_;
};

void RnntBeamDecoder::search(const DecoderJob& job) const {
  auto& state = static_cast<TransducerState&>(*job.state);
  state.pointer = std::max(state.pointer, job.frames->firstFrame);
  int64_t end = std::min(job.until, job.frames->end());
  if (job.lastStart < end) end = job.lastStart + 1;
  if (state.pointer >= end) return;
  Histories histories;
  Hypotheses active{
      {0, state.pointer, 0, {}, -1, std::make_shared<PredictorState>(std::move(state.predictor)), {}, state.boosting}};
  for (; state.pointer < end; state.pointer++) active = frame(job, std::move(active), histories);
  const auto worth = [&](const TransducerHypothesis& one) {
    return ranked(one.score, one.text.count, beam_.lengthPenalty);
  };
  const auto best = std::max_element(
      active.begin(), active.end(),
      [&](const TransducerHypothesis& a, const TransducerHypothesis& b) { return worth(a) < worth(b); });
  Hypotheses winner{*best};
  readTokens(*transducer_, histories, winner);
  histories.copy(winner[0].history, *job.tokens);
  state.predictor = *winner[0].predictor;
  state.boosting = winner[0].boosting;
  state.symbols = 0;
}

RnntBeamDecoder::Hypotheses RnntBeamDecoder::frame(const DecoderJob& job, Hypotheses active,
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
    readTokens(*transducer_, histories, active);
    scoreAll(*transducer_, job.frames->values, job.frames->firstFrame, active, logits);
    Hypotheses more;
    for (size_t i = 0; i < active.size(); i++) {
      const TransducerHypothesis& one = active[i];
      const float* own = logits.data() + i * transducer_->outputs();
      const double sum = logSum(own, classes);
      TransducerHypothesis silent = one;
      silent.score += own[blank] - sum;
      goOn(std::move(silent));
      const float confidence = entropyConfidence(own, classes);
      for (const Choice& choice : top(own, classes, std::min(beam_.size, classes), one.boosting, blank)) {
        if (choice.token == blank) continue;
        TransducerHypothesis next = one;
        next.score += choice.score;
        next.symbols++;
        next.text = one.text.with(choice.token);
        next.unread = Token{choice.token, one.frame, 1, confidence};
        next.boosting.advance(choice.token);
        // As in greedy decoding, the last token that fits on a frame needs no blank after it.
        if (next.symbols >= rules_.maxSymbols)
          goOn(std::move(next));
        else
          more.push_back(std::move(next));
      }
    }
    keepBest(more, beam_.size);
    // No token can overtake `size` hypotheses that are done already: scores only fall (but for what boosting adds).
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
