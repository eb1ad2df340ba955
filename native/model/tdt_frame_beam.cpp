// Frame-synchronous beam search of a token-and-duration transducer: hypotheses compete when they reach the same frame,
// whatever way of durations took them there; log-probabilities of token and duration are summed; hypotheses with the
// same tokens at the same frame are merged. Several streams are searched in lockstep. Each call ends with one
// hypothesis, so that final tokens stay final.
#include <algorithm>
#include <functional>
#include <map>
#include <unordered_map>

#include "model/mutant.h"
#include "model/transducer_beam.h"
#include "ops/profile.h"

namespace parakeet {
namespace {

using Hypotheses = std::vector<TransducerHypothesis>;

// Hypotheses further than this behind the best at their frame are dropped, and continuations further than this behind
// the best of their hypothesis. Measured: no word changes, and a fifth of the time is saved.
constexpr double widestBeam = 8.0, widestContinuations = 5.0;

// The hypotheses that have reached one frame; those with the same tokens are one.
class Meeting {
 public:
  void add(TransducerHypothesis next) {
    const auto [place, fresh] = places_.try_emplace(next.text.hash, hypotheses_.size());
    if (fresh) {
      hypotheses_.push_back(std::move(next));
      return;
    }
    TransducerHypothesis& other = hypotheses_[place->second];
    const double both = mutant("beam-unmerged") ? other.score : logAdd(other.score, next.score);
    if (next.score > other.score) other = std::move(next);
    other.score = both;
  }
  bool empty() const { return hypotheses_.empty(); }
  Hypotheses take() {
    places_.clear();
    return std::move(hypotheses_);
  }

 private:
  Hypotheses hypotheses_;
  std::unordered_map<uint64_t, size_t> places_;
};

// The search of one stream. Each round scores the hypotheses at one frame: those that arrive there, then those that
// emitted a token of no duration there.
class FrameSearch {
 public:
  FrameSearch(const TransducerRules& rules, const Beam& beam, Measure measure, const DecoderFrames& frames,
              SearchSpan span, TransducerHypothesis first)
      : rules_(rules), beam_(beam), measure_(measure), frames_(frames), span_(span) {
    reached_[first.frame].add(std::move(first));
  }

  // Chooses what is scored next: none when the search is over.
  Hypotheses& next() {
    if (active_.empty()) arrive();
    return active_;
  }
  const DecoderFrames& frames() const { return frames_; }
  Histories& histories() { return histories_; }

  // Continues the chosen hypotheses by their logits.
  void go(const float* logits, int outputs) {
    Meeting more;
    for (size_t i = 0; i < active_.size(); i++) expand(active_[i], logits + i * outputs, more);
    active_ = more.take();
    keepBest(active_, beam_.size);
    // No token can overtake `size` hypotheses that have left the frame: scores only decrease (but for bonuses).
    const auto size = static_cast<size_t>(beam_.size);
    if (left_.size() < size) return;
    std::nth_element(left_.begin(), left_.begin() + beam_.size - 1, left_.end(), std::greater<>());
    while (!active_.empty() && active_.back().score < left_[size - 1]) active_.pop_back();
  }

  // All that reached the end; here, a text counts with all its ways, wherever their last durations lead.
  Hypotheses finished() {
    Meeting found;
    for (auto& [frame, meeting] : reached_) {
      for (TransducerHypothesis& one : meeting.take()) {
        one.cross(span_.border);
        found.add(std::move(one));
      }
    }
    return found.take();
  }

 private:
  // To the first frame that hypotheses have reached.
  void arrive() {
    const auto first = reached_.begin();
    if (first == reached_.end() || first->first >= span_.end) return;
    active_ = first->second.take();
    reached_.erase(first);
    keepBest(active_, beam_.size);
    while (active_.back().score < active_[0].score - widestBeam) active_.pop_back();
    left_.clear();
    for (TransducerHypothesis& one : active_) one.cross(span_.border);
  }

  // Adds the continuations of a hypothesis by a token or a blank, for each duration.
  void expand(const TransducerHypothesis& one, const float* logits, Meeting& more) {
    const int blank = rules_.vocabulary, classes = blank + 1;
    const auto kinds = static_cast<int>(rules_.durations.size());
    durations_.look(logits + classes, kinds, kinds);
    tokens_.look(logits, classes, beam_.size + 1);
    const float confidence = confidenceOf(measure_, logits, classes);
    double bestDuration = impossible;
    for (int place = 0; place < kinds; place++) bestDuration = std::max(bestDuration, durations_.logProbability(place));
    const auto& choices = tokens_.likeliest(one.boosting, blank, one.lmGain());
    const double least = choices[0].sum() + bestDuration - widestContinuations;
    for (const Choice& choice : choices) {
      if (choice.sum() + bestDuration < least) break;
      const bool isBlank = choice.token == blank;
      TransducerHypothesis next = one;
      if (!isBlank) {
        next.text = one.text.with(choice.token);
        next.advance(choice.token);
      }
      for (int place = 0; place < kinds; place++) {
        if (choice.sum() + durations_.logProbability(place) < least) continue;
        next.score = one.score + choice.sum() + durations_.logProbability(place);
        next.frame = one.frame;
        next.symbols = one.symbols;
        const int64_t step = rules_.move(choice.token, place, next.frame, next.symbols);
        if (!isBlank) next.unread = Token{choice.token, one.frame, rules_.durations[place], confidence};
        if (step > 0) left_.push_back(next.score);
        (step == 0 ? more : reached_[next.frame]).add(next);
      }
    }
  }

  const TransducerRules& rules_;
  const Beam& beam_;
  Measure measure_;
  const DecoderFrames& frames_;
  SearchSpan span_;
  Histories histories_;
  std::map<int64_t, Meeting> reached_;  // by frame, those that are still to come
  Hypotheses active_;                   // at one frame, to be scored
  std::vector<double> left_;            // scores of those that went on from the frame
  TopChoices tokens_, durations_;
};

class TdtFrameBeamDecoder : public TransducerBeamDecoder {
 public:
  using TransducerBeamDecoder::TransducerBeamDecoder;

 protected:
  void search(std::vector<Search>& searches) const override {
    std::vector<FrameSearch> going;
    for (Search& one : searches)
      going.emplace_back(rules_, beam_, measure(), *one.frames, one.span, std::move(one.first));
    std::vector<Transducer::JointInput> inputs;
    std::vector<float> logits;
    for (;;) {
      std::vector<Unread> unread;
      for (FrameSearch& one : going) {
        for (TransducerHypothesis& hypothesis : one.next()) unread.push_back({&hypothesis, &one.histories()});
      }
      if (unread.empty()) break;
      readTokens(*transducer_, fusion(), unread);
      inputs.clear();
      for (FrameSearch& one : going) {
        for (const TransducerHypothesis& hypothesis : one.next())
          inputs.push_back({one.frames().frame(hypothesis.frame), hypothesis.predictor.get()});
      }
      transducer_->joint(inputs, logits);
      const float* own = logits.data();
      for (FrameSearch& one : going) {
        const size_t asked = one.next().size();
        if (asked > 0) one.go(own, transducer_->outputs());
        own += asked * transducer_->outputs();
      }
    }
    for (size_t i = 0; i < searches.size(); i++) {
      searches[i].found = going[i].finished();
      searches[i].histories = std::move(going[i].histories());
    }
  }
};

}  // namespace

std::unique_ptr<Decoder> makeTdtFrameBeamDecoder(std::shared_ptr<const Transducer> transducer,
                                                 const ModelConfig& config, const Beam& beam) {
  return std::make_unique<TdtFrameBeamDecoder>(
      std::move(transducer), TransducerRules{config.vocabulary, config.durations, config.maxSymbols}, beam);
}

}  // namespace parakeet
