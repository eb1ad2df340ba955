#include "model/transducer_beam.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ops/profile.h"

namespace parakeet {

void readTokens(const Transducer& transducer, Histories& histories, std::vector<TransducerHypothesis>& hypotheses) {
  std::map<std::pair<const PredictorState*, int>, std::shared_ptr<PredictorState>> read;
  std::vector<Transducer::Advance> moves;
  for (const TransducerHypothesis& one : hypotheses) {
    if (!one.unread) continue;
    auto& state = read[{one.predictor.get(), one.unread->id}];
    if (state) continue;
    state = std::make_shared<PredictorState>(*one.predictor);
    moves.push_back({state.get(), one.unread->id});
  }
  if (moves.empty()) return;
  transducer.advance(moves);
  // The old states must live until all have found their new one: their addresses are the keys.
  std::vector<std::shared_ptr<const PredictorState>> before;
  for (TransducerHypothesis& one : hypotheses) {
    if (!one.unread) continue;
    before.push_back(one.predictor);
    one.predictor = read.at({one.predictor.get(), one.unread->id});
    one.history = histories.add(one.history, *one.unread);
    one.unread.reset();
  }
}

void scoreAll(const Transducer& transducer, const DecoderFrames& frames,
              const std::vector<TransducerHypothesis>& hypotheses, std::vector<float>& logits) {
  std::vector<Transducer::JointInput> inputs;
  for (const TransducerHypothesis& one : hypotheses) inputs.push_back({frames.frame(one.frame), one.predictor.get()});
  transducer.joint(inputs, logits);
}

void keepBest(std::vector<TransducerHypothesis>& hypotheses, int most) {
  std::stable_sort(hypotheses.begin(), hypotheses.end(),
                   [](const TransducerHypothesis& a, const TransducerHypothesis& b) { return a.score > b.score; });
  if (static_cast<int>(hypotheses.size()) > most) hypotheses.resize(most);
}

void TransducerBeamDecoder::decode(const std::vector<DecoderJob>& jobs) const {
  const ops::PartScope part(ops::Part::decoder);
  const ops::PartTimer timer(ops::Part::decoder);
  for (const DecoderJob& job : jobs) decode(job);
}

void TransducerBeamDecoder::decode(const DecoderJob& job) const {
  auto& state = static_cast<TransducerState&>(*job.state);
  state.pointer = std::max(state.pointer, job.frames->firstFrame);
  int64_t border = std::min(job.until, job.frames->end()), end = job.frames->end();
  if (job.lastStart < border) border = job.lastStart + 1;
  if (job.lastStart < end) end = job.lastStart + 1;
  if (state.pointer >= border) return;
  Histories histories;
  TransducerHypothesis first{0, state.pointer, state.symbols, {}, -1, nullptr, {}, state.boosting};
  first.predictor = std::make_shared<PredictorState>(std::move(state.predictor));
  const auto found = search(*job.frames, std::move(first), border, end, histories);
  const auto worth = [this](const TransducerHypothesis& one) {
    return ranked(one.score, one.text.count, beam_.lengthPenalty);
  };
  const auto best = std::max_element(
      found.begin(), found.end(),
      [&](const TransducerHypothesis& a, const TransducerHypothesis& b) { return worth(a) < worth(b); });
  // A hypothesis that was dropped before the border ends there.
  std::vector<TransducerHypothesis> winner{best->crossed ? *best->crossed : *best};
  readTokens(*transducer_, histories, winner);
  histories.copy(winner[0].history, *job.tokens);
  state.predictor = *winner[0].predictor;
  state.pointer = winner[0].frame;
  state.symbols = winner[0].symbols;
  state.boosting = winner[0].boosting;
}

}  // namespace parakeet
