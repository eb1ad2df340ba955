// Greedy decoding of transducers, with and without durations.
#include <algorithm>

#include "model/confidence.h"
#include "model/decoder.h"
#include "model/mutant.h"
#include "model/transducer.h"
#include "ops/profile.h"

namespace parakeet {
namespace {

int argmax(const float* begin, int count) { return static_cast<int>(std::max_element(begin, begin + count) - begin); }

struct Rules {
  int vocabulary = 0;
  std::vector<int> durations;  // empty: RNNT
  int maxSymbols = 10;
};

// Logits of frames with the present predictor state. After a blank the next ones are likely to be blanks too, as many
// frames apart: several are scored at once, so that a pause costs a fraction of reading the joint's weights.
class Scores {
 public:
  Scores(const Transducer& transducer, const DecoderFrames& frames, int64_t until)
      : transducer_(transducer), frames_(frames), until_(until) {}

  // Valid until the next call.
  const float* at(int64_t frame, const PredictorState& state) {
    const auto found = std::find(scored_.begin(), scored_.end(), frame);
    const auto index = static_cast<size_t>(found - scored_.begin());
    if (found != scored_.end()) return logits_.data() + index * transducer_.outputs();
    scored_.clear();
    std::vector<const float*> rows;
    for (int64_t next = frame; next < until_ && static_cast<int>(rows.size()) < ahead_; next += step_) {
      scored_.push_back(next);
      rows.push_back(frames_.values.data.data() + (next - frames_.firstFrame) * frames_.values.columns);
    }
    transducer_.joint(rows, state, logits_);
    return logits_.data();
  }

  // The predictor's state has changed.
  void forget() {
    scored_.clear();
    ahead_ = 1;
  }

  // A blank moved the pointer by `frames`.
  void expectStep(int frames) {
    step_ = frames;
    ahead_ = std::min(2 * ahead_, mostAhead);
  }

 private:
  static constexpr int mostAhead = 4;
  const Transducer& transducer_;
  const DecoderFrames& frames_;
  int64_t until_;
  int ahead_ = 1, step_ = 1;
  std::vector<int64_t> scored_;
  std::vector<float> logits_;
};

class TransducerState : public DecoderState {
 public:
  TransducerState(std::shared_ptr<const Transducer> transducer, Rules rules)
      : transducer_(std::move(transducer)), rules_(std::move(rules)), predictor_(transducer_->start()) {}

  std::unique_ptr<DecoderState> clone() const override { return std::make_unique<TransducerState>(*this); }

  void decode(const DecoderFrames& frames, int64_t until, int64_t lastStart, Tokens& tokens) override {
    if (mutant("carry-cleared") || mutant("final-again")) pointer_ = frames.firstFrame;
    pointer_ = std::max(pointer_, frames.firstFrame);
    until = std::min(until, frames.end());
    const ops::PartScope part(ops::Part::decoder);
    const ops::PartTimer timer(ops::Part::decoder);
    const int classes = rules_.vocabulary + 1;
    Scores scores(*transducer_, frames, until);
    while (pointer_ < until && pointer_ <= lastStart) {
      const float* logits = scores.at(pointer_, predictor_);
      const int token = argmax(logits, mutant("blank-forgotten") ? classes - 1 : classes);
      const bool blank = token == rules_.vocabulary;
      const int step = rules_.durations.empty()
                           ? (blank ? 1 : 0)
                           : rules_.durations[argmax(logits + classes, static_cast<int>(rules_.durations.size()))];
      if (!blank) {
        // A transducer without durations says nothing of how long a token lasts: one frame, as in the reference.
        const int duration = rules_.durations.empty() ? 1 : step;
        tokens.push_back({token, pointer_, duration, entropyConfidence(logits, classes)});
        transducer_->advance(predictor_, token);
        scores.forget();
        symbols_++;
      }
      int64_t move = step;
      if (blank || symbols_ >= rules_.maxSymbols) move = std::max<int64_t>(1, move);
      if (move > 0) symbols_ = 0;
      if (blank) scores.expectStep(static_cast<int>(move));
      pointer_ += move;
    }
  }

  void finish(int64_t, Tokens&) override {}

 private:
  std::shared_ptr<const Transducer> transducer_;
  Rules rules_;
  PredictorState predictor_;
  int64_t pointer_ = 0;
  int symbols_ = 0;  // tokens at the pointer's frame
};

class TransducerDecoder : public Decoder {
 public:
  TransducerDecoder(std::shared_ptr<const Transducer> transducer, Rules rules)
      : transducer_(std::move(transducer)), rules_(std::move(rules)) {}

  DecoderFrames prepare(const Matrix& encoded, int64_t firstFrame) const override {
    return {transducer_->projectFrames(encoded), firstFrame};
  }
  std::unique_ptr<DecoderState> start() const override {
    return std::make_unique<TransducerState>(transducer_, rules_);
  }

 private:
  std::shared_ptr<const Transducer> transducer_;
  Rules rules_;
};

}  // namespace

std::unique_ptr<Decoder> makeTdtDecoder(std::shared_ptr<const Transducer> transducer, const ModelConfig& config) {
  return std::make_unique<TransducerDecoder>(std::move(transducer),
                                             Rules{config.vocabulary, config.durations, config.maxSymbols});
}

std::unique_ptr<Decoder> makeRnntDecoder(std::shared_ptr<const Transducer> transducer, const ModelConfig& config) {
  return std::make_unique<TransducerDecoder>(std::move(transducer), Rules{config.vocabulary, {}, config.maxSymbols});
}

}  // namespace parakeet
