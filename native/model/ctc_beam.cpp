// Prefix beam search of CTC (Graves 2008, "Supervised Sequence Labelling", section 7.5; Hannun et al. 2014): all
// alignments of one text are summed, those that end in a blank separately from those that do not, since a token can
// repeat only after a blank. Times are those of a text's best alignment. Each call ends with one text, so that final
// tokens stay final.
#include <algorithm>
#include <unordered_map>

#include "model/archive.h"
#include "model/ctc_head.h"
#include "model/decoder.h"
#include "ops/profile.h"

namespace parakeet {
namespace {

struct Prefix;

// The best alignment of a text that ends in a blank, or in its last token.
struct Way {
  double all = impossible;   // log-probability of all such alignments
  double best = impossible;  // of this one
  int history = -1;          // tokens with their first frames; the last one's end is not known yet
  int64_t sounding = 0;      // after the last non-blank frame
  // Its text at the border up to which tokens become final; none before that.
  std::shared_ptr<const Prefix> crossed = nullptr;
};

struct Prefix {
  TextKey text;
  int last = -1;     // token
  double bonus = 0;  // of phrases and language models
  Boosting boosting;
  LmState lm;
  Way silent = Way(), sounding = Way();

  double probability() const { return logAdd(silent.all, sounding.all); }
  double score() const { return probability() + bonus; }
  const Way& likelier() const { return silent.best > sounding.best ? silent : sounding; }
};

// What is still open when the frames end: a text's last token.
struct Open {
  int id = -1;
  int64_t start = 0, sounding = 0;
  double silent = 0, heard = impossible;  // log-probabilities that a blank, or the token, came last
};

class CtcBeamState : public DecoderState {
 public:
  explicit CtcBeamState(int vocabulary) : vocabulary_(vocabulary) {}
  std::unique_ptr<DecoderState> clone() const override { return std::make_unique<CtcBeamState>(*this); }

  void decode(const DecoderFrames& frames, int64_t until, int64_t lastStart, const Beam& beam, Measure measure,
              Tokens& tokens);

  void finish(Tokens& tokens) override {
    if (open_.id >= 0) tokens.push_back({open_.id, open_.start, open_.sounding - open_.start, confidence_.mean()});
    open_ = {};
    confidence_ = {};
  }
  void cutAt(int64_t frame) override { next_ = std::min(next_, frame); }
  void save(ArchiveWriter& archive) override { archive(next_, open_, confidence_, boosting, lm); }
  void load(ArchiveReader& archive) override {
    archive(next_, open_, confidence_, boosting, lm);
    ArchiveReader::require(open_.id < vocabulary_);
  }

 private:
  // Of the frames of the open token in earlier calls.
  struct Mean {
    double sum = 0;
    int64_t count = 0;
    float mean() const { return count ? static_cast<float>(sum / static_cast<double>(count)) : 1.0f; }
  };
  std::vector<Prefix> step(const std::vector<Prefix>& before, const float* logits, int64_t frame, bool mayBegin,
                           const Beam& beam, Histories& histories);
  void keep(const Prefix& best, const Histories& histories, const std::vector<float>& confidences, int64_t first,
            Tokens& tokens);

  int vocabulary_;
  int64_t next_ = 0;
  Open open_;
  Mean confidence_;
  TopChoices top_;
};

void CtcBeamState::decode(const DecoderFrames& frames, int64_t until, int64_t lastStart, const Beam& beam,
                          Measure measure, Tokens& tokens) {
  const int classes = vocabulary_ + 1;
  const int64_t first = next_ = std::max(next_, frames.firstFrame);
  until = std::min(until, frames.end());
  if (next_ >= until) return;
  Histories histories;
  Prefix open{{}, open_.id, 0, boosting, lm};
  const int history = open_.id < 0 ? -1 : histories.add(-1, {open_.id, open_.start, 0, 1});
  open.silent = {open_.silent, open_.silent, history, open_.sounding, nullptr};
  open.sounding = {open_.heard, open_.heard, history, open_.sounding, nullptr};
  std::vector<Prefix> prefixes{std::move(open)};
  std::vector<float> confidences;
  // Continue through the frames that are not final yet: a text is ranked by its continuation.
  for (int64_t frame = next_; frame < frames.end(); frame++) {
    const float* logits = frames.frame(frame);
    confidences.push_back(confidenceOf(measure, logits, classes));
    prefixes = step(prefixes, logits, frame, frame <= lastStart, beam, histories);
    if (frame + 1 != until) continue;
    for (Prefix& prefix : prefixes) {
      const auto here = std::make_shared<const Prefix>(prefix);
      prefix.silent.crossed = prefix.sounding.crossed = here;
    }
  }
  next_ = until;
  const auto best = std::max_element(prefixes.begin(), prefixes.end(), [&](const Prefix& a, const Prefix& b) {
    return ranked(a.score(), a.text.count, beam.lengthPenalty) < ranked(b.score(), b.text.count, beam.lengthPenalty);
  });
  keep(*best->likelier().crossed, histories, confidences, first, tokens);
}

std::vector<Prefix> CtcBeamState::step(const std::vector<Prefix>& before, const float* logits, int64_t frame,
                                       bool mayBegin, const Beam& beam, Histories& histories) {
  const int blank = vocabulary_, classes = blank + 1;
  top_.look(logits, classes, 2 * beam.size);
  std::vector<Prefix> after;
  std::unordered_map<uint64_t, size_t> places;
  const auto reach = [&](const TextKey& text, int last, const Prefix& from) -> Prefix& {
    const auto [place, fresh] = places.try_emplace(text.hash, after.size());
    if (fresh) after.push_back({text, last, from.bonus, from.boosting, from.lm});
    return after[place->second];
  };
  const auto merge = [](Way& way, double all, double best, int history, int64_t sounding,
                        const std::shared_ptr<const Prefix>& crossed) {
    way.all = logAdd(way.all, all);
    if (best <= way.best) return;
    way.best = best;
    way.history = history;
    way.sounding = sounding;
    way.crossed = crossed;
  };
  for (const Prefix& prefix : before) {
    const double probability = prefix.probability();
    const Way& likelier = prefix.likelier();
    const double silence = top_.logProbability(blank);
    merge(reach(prefix.text, prefix.last, prefix).silent, probability + silence, likelier.best + silence,
          likelier.history, likelier.sounding, likelier.crossed);
    if (prefix.last >= 0) {
      const double again = top_.logProbability(prefix.last);
      merge(reach(prefix.text, prefix.last, prefix).sounding, prefix.sounding.all + again, prefix.sounding.best + again,
            prefix.sounding.history, frame + 1, prefix.sounding.crossed);
    }
    if (!mayBegin) continue;
    for (const Choice& choice : top_.likeliest(prefix.boosting, blank, {&prefix.lm})) {
      if (choice.token == blank) continue;
      const double own = top_.logProbability(choice.token);
      // A repeated token needs a blank in between.
      const bool same = choice.token == prefix.last;
      const double all = (same ? prefix.silent.all : probability) + own;
      const Way& way = same ? prefix.silent : likelier;
      if (all == impossible) continue;
      const TextKey text = prefix.text.with(choice.token);
      const bool fresh = !places.contains(text.hash);
      Prefix& next = reach(text, choice.token, prefix);
      if (fresh) {
        next.bonus += choice.bonus + next.lm.gain(choice.token, nullptr);
        next.boosting.advance(choice.token);
        next.lm.advance(choice.token);
      }
      if (way.best + own > next.sounding.best) {
        merge(next.sounding, all, way.best + own, histories.add(way.history, {choice.token, frame, 0, 1}), frame + 1,
              way.crossed);
      } else {
        merge(next.sounding, all, impossible, -1, 0, nullptr);
      }
    }
  }
  std::stable_sort(after.begin(), after.end(), [](const Prefix& a, const Prefix& b) { return a.score() > b.score(); });
  if (static_cast<int>(after.size()) > beam.size) after.resize(beam.size);
  return after;
}

// Emits the finished tokens of a text and keeps the last one open.
void CtcBeamState::keep(const Prefix& best, const Histories& histories, const std::vector<float>& confidences,
                        int64_t first, Tokens& tokens) {
  const Way& way = best.likelier();
  Tokens own;
  histories.copy(way.history, own);
  // Confidence is the mean over a token's frames; those of the first token may belong to an earlier call.
  Mean mean = confidence_;
  const auto cover = [&](int64_t from, int64_t to) {
    for (int64_t frame = std::max(from, first); frame < to; frame++) {
      mean.sum += confidences[frame - first];
      mean.count++;
    }
  };
  for (size_t i = 0; i < own.size(); i++) {
    const bool last = i + 1 == own.size();
    cover(own[i].start, last ? way.sounding : own[i + 1].start);
    if (last) break;
    own[i].duration = own[i + 1].start - own[i].start;
    own[i].confidence = mean.mean();
    tokens.push_back(own[i]);
    mean = {};
  }
  confidence_ = mean;
  boosting = best.boosting;
  lm = best.lm;
  const double probability = best.probability();
  open_ = {};
  if (own.empty()) return;
  open_ = {own.back().id, own.back().start, way.sounding, best.silent.all - probability,
           best.sounding.all - probability};
}

class CtcBeamDecoder : public Decoder {
 public:
  CtcBeamDecoder(std::shared_ptr<const CtcHead> head, const Beam& beam) : head_(std::move(head)), beam_(beam) {}

  int piece() const override { return searchedFrames; }
  mlx::core::array project(const mlx::core::array& encoded) const override { return head_->logits(encoded); }
  std::unique_ptr<DecoderState> newState() const override {
    return std::make_unique<CtcBeamState>(head_->vocabulary());
  }
  void decode(const std::vector<DecoderJob>& jobs) const override {
    const ops::PartScope part(ops::Part::decoder);
    const ops::PartTimer timer(ops::Part::decoder);
    for (const DecoderJob& job : jobs)
      static_cast<CtcBeamState&>(*job.state)
          .decode(*job.frames, job.until, job.lastStart, beam_, measure(), *job.tokens);
  }

 private:
  std::shared_ptr<const CtcHead> head_;
  Beam beam_;
};

}  // namespace

std::unique_ptr<Decoder> makeCtcBeamDecoder(std::shared_ptr<const CtcHead> head, const Beam& beam) {
  return std::make_unique<CtcBeamDecoder>(std::move(head), beam);
}

}  // namespace parakeet
