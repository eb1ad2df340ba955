#include "model/transducer_beam.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ops/profile.h"

namespace parakeet {

void readTokens(const Transducer& transducer, const std::vector<Unread>& unread) {
  std::map<std::pair<const PredictorState*, int>, std::shared_ptr<PredictorState>> read;
  std::vector<Transducer::Advance> moves;
  for (const auto& [one, histories] : unread) {
    if (!one->unread) continue;
    auto& state = read[{one->predictor.get(), one->unread->id}];
    if (state) continue;
    state = std::make_shared<PredictorState>(*one->predictor);
    moves.push_back({state.get(), one->unread->id});
  }
  if (moves.empty()) return;
  transducer.advance(moves);
  // The old states must live until all have found their new one: their addresses are the keys.
  std::vector<std::shared_ptr<const PredictorState>> before;
  for (const auto& [one, histories] : unread) {
    if (!one->unread) continue;
    before.push_back(one->predictor);
    one->predictor = read.at({one->predictor.get(), one->unread->id});
    one->history = histories->add(one->history, *one->unread);
    one->unread.reset();
  }
}

void readTokens(const Transducer& transducer, Histories& histories, std::vector<TransducerHypothesis>& hypotheses) {
  std::vector<Unread> unread;
  for (TransducerHypothesis& one : hypotheses) unread.push_back({&one, &histories});
  readTokens(transducer, unread);
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
  std::vector<Search> searches;
  std::vector<const DecoderJob*> searched;
  for (const DecoderJob& job : jobs) {
    auto one = begin(job);
    if (!one) continue;
    searches.push_back(std::move(*one));
    searched.push_back(&job);
  }
  if (searches.empty()) return;
  search(searches);
  for (size_t i = 0; i < searches.size(); i++) end(searches[i], *searched[i]);
}

std::optional<TransducerBeamDecoder::Search> TransducerBeamDecoder::begin(const DecoderJob& job) const {
  auto& state = static_cast<TransducerState&>(*job.state);
  state.pointer = std::max(state.pointer, job.frames->firstFrame);
  SearchSpan span{std::min(job.until, job.frames->end()), job.frames->end()};
  if (job.lastStart < span.border) span.border = job.lastStart + 1;
  if (job.lastStart < span.end) span.end = job.lastStart + 1;
  if (state.pointer >= span.border) return std::nullopt;
  TransducerHypothesis first{0, state.pointer, state.symbols, {}, -1, nullptr, {}, state.boosting};
  first.predictor = std::make_shared<PredictorState>(std::move(state.predictor));
  return Search{job.frames, span, std::move(first)};
}

void TransducerBeamDecoder::end(Search& search, const DecoderJob& job) const {
  auto& state = static_cast<TransducerState&>(*job.state);
  const auto worth = [this](const TransducerHypothesis& one) {
    return ranked(one.score, one.text.count, beam_.lengthPenalty);
  };
  const auto best = std::max_element(
      search.found.begin(), search.found.end(),
      [&](const TransducerHypothesis& a, const TransducerHypothesis& b) { return worth(a) < worth(b); });
  // A hypothesis that was dropped before the border ends there.
  std::vector<TransducerHypothesis> winner{best->crossed ? *best->crossed : *best};
  readTokens(*transducer_, search.histories, winner);
  search.histories.copy(winner[0].history, *job.tokens);
  state.predictor = *winner[0].predictor;
  state.pointer = winner[0].frame;
  state.symbols = winner[0].symbols;
  state.boosting = winner[0].boosting;
}

}  // namespace parakeet
