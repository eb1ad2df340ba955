#include "model/transducer_beam.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ops/profile.h"

namespace parakeet {

std::vector<std::shared_ptr<const std::vector<float>>> internalScores(
    const Transducer& transducer, const Fusion* fusion, const std::vector<const PredictorState*>& states) {
  std::vector<std::shared_ptr<const std::vector<float>>> scores(states.size());
  if (!fusion || fusion->internalWeight == 0) return scores;
  const std::vector<float> silence(states[0]->projection.size());
  std::vector<Transducer::JointInput> inputs;
  for (const PredictorState* state : states) inputs.push_back({silence.data(), state});
  std::vector<float> logits;
  transducer.joint(inputs, logits);
  for (size_t i = 0; i < states.size(); i++) {
    const float* own = logits.data() + i * transducer.outputs();
    const int tokens = transducer.vocabulary();
    const auto sum = static_cast<float>(logSum(own, tokens));
    std::vector<float> normalised(own, own + tokens);
    for (float& one : normalised) one -= sum;
    scores[i] = std::make_shared<const std::vector<float>>(std::move(normalised));
  }
  return scores;
}

void readTokens(const Transducer& transducer, const Fusion* fusion, const std::vector<Unread>& unread) {
  std::map<std::pair<const PredictorState*, int>, size_t> places;
  std::vector<std::shared_ptr<PredictorState>> read;
  std::vector<Transducer::Advance> moves;
  for (const auto& [one, histories] : unread) {
    if (!one->unread) continue;
    if (!places.try_emplace({one->predictor.get(), one->unread->id}, read.size()).second) continue;
    read.push_back(std::make_shared<PredictorState>(*one->predictor));
    moves.push_back({read.back().get(), one->unread->id});
  }
  if (moves.empty()) return;
  transducer.advance(moves);
  std::vector<const PredictorState*> states;
  for (const auto& state : read) states.push_back(state.get());
  const auto internal = internalScores(transducer, fusion, states);
  // The old states must live until all have found their new one: their addresses are the keys.
  std::vector<std::shared_ptr<const PredictorState>> before;
  for (const auto& [one, histories] : unread) {
    if (!one->unread) continue;
    before.push_back(one->predictor);
    const size_t place = places.at({one->predictor.get(), one->unread->id});
    one->predictor = read[place];
    one->internal = internal[place];
    one->history = histories->add(one->history, *one->unread);
    one->unread.reset();
  }
}

void readTokens(const Transducer& transducer, const Fusion* fusion, Histories& histories,
                std::vector<TransducerHypothesis>& hypotheses) {
  std::vector<Unread> unread;
  for (TransducerHypothesis& one : hypotheses) unread.push_back({&one, &histories});
  readTokens(transducer, fusion, unread);
}

void scoreAll(const Transducer& transducer, const DecoderFrames& frames,
              const std::vector<TransducerHypothesis>& hypotheses, std::vector<float>& logits) {
  std::vector<Transducer::JointInput> inputs;
  for (const TransducerHypothesis& one : hypotheses) inputs.push_back({frames.frame(one.frame), one.predictor.get()});
  transducer.joint(inputs, logits);
}

void keepBest(std::vector<TransducerHypothesis>& hypotheses, int most) {
  std::stable_sort(hypotheses.begin(), hypotheses.end(),
                   [](const TransducerHypothesis& a, const TransducerHypothesis& b) {
                     return a.score + a.bonus > b.score + b.bonus;
                   });
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
  TransducerHypothesis first{0, 0, state.pointer, state.symbols, {}, -1, nullptr, {}, state.boosting, state.lm};
  first.predictor = std::make_shared<PredictorState>(std::move(state.predictor));
  first.internal = internalScores(*transducer_, fusion(), {first.predictor.get()})[0];
  return Search{job.frames, span, std::move(first)};
}

size_t TransducerBeamDecoder::best(const std::vector<TransducerHypothesis>& found) const {
  const auto worth = [this](const TransducerHypothesis& one) {
    return ranked(one.score, one.text.count, beam_.lengthPenalty);
  };
  const auto best = std::max_element(
      found.begin(), found.end(),
      [&](const TransducerHypothesis& a, const TransducerHypothesis& b) { return worth(a) < worth(b); });
  return static_cast<size_t>(best - found.begin());
}

void TransducerBeamDecoder::end(Search& search, const DecoderJob& job) const {
  auto& state = static_cast<TransducerState&>(*job.state);
  const TransducerHypothesis& found = search.found[best(search.found)];
  // A hypothesis that was dropped before the border ends there.
  std::vector<TransducerHypothesis> winner{found.crossed ? *found.crossed : found};
  readTokens(*transducer_, nullptr, search.histories, winner);
  search.histories.copy(winner[0].history, *job.tokens);
  state.predictor = *winner[0].predictor;
  state.pointer = winner[0].frame;
  state.symbols = winner[0].symbols;
  state.boosting = winner[0].boosting;
  state.lm = winner[0].lm;
}

}  // namespace parakeet
