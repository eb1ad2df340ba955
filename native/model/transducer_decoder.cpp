// Greedy decoding of transducers, with and without durations.
#include <algorithm>

#include "model/confidence.h"
#include "model/decoder.h"
#include "model/mutant.h"
#include "model/transducer.h"

namespace parakeet {
namespace {

int argmax(const float* begin, int count) { return static_cast<int>(std::max_element(begin, begin + count) - begin); }

struct Rules {
  int vocabulary = 0;
  std::vector<int> durations;  // empty: RNNT
  int maxSymbols = 10;
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
    const int classes = rules_.vocabulary + 1;
    std::vector<float> logits;
    while (pointer_ < until && pointer_ <= lastStart) {
      const int64_t row = pointer_ - frames.firstFrame;
      transducer_->joint(frames.values.data.data() + row * frames.values.columns, predictor_, logits);
      const int token = argmax(logits.data(), mutant("blank-forgotten") ? classes - 1 : classes);
      const bool blank = token == rules_.vocabulary;
      const int step =
          rules_.durations.empty()
              ? (blank ? 1 : 0)
              : rules_.durations[argmax(logits.data() + classes, static_cast<int>(rules_.durations.size()))];
      if (!blank) {
        // A transducer without durations says nothing of how long a token lasts: one frame, as in the reference.
        const int duration = rules_.durations.empty() ? 1 : step;
        tokens.push_back({token, pointer_, duration, entropyConfidence(logits.data(), classes)});
        transducer_->advance(predictor_, token);
        symbols_++;
      }
      int64_t move = step;
      if (blank || symbols_ >= rules_.maxSymbols) move = std::max<int64_t>(1, move);
      if (move > 0) symbols_ = 0;
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
