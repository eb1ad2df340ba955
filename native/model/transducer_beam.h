// Hypotheses of a transducer's beam search.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "model/beam.h"
#include "model/transducer_state.h"

namespace parakeet {

struct TransducerHypothesis {
  double score = 0;
  double bonus = 0;  // of phrases, where they are no part of the score
  int64_t frame = 0;
  int symbols = 0;  // at the frame
  TextKey text;
  int history = -1;  // in the search's Histories, without the unread token
  std::shared_ptr<const PredictorState> predictor;
  std::optional<Token> unread = std::nullopt;  // the last token, which the predictor has not seen yet
  Boosting boosting = {};
  LmState lm = {};
  // ln p of each token by the predictor alone; none where nobody asks.
  std::shared_ptr<const std::vector<float>> internal = nullptr;
  // Its state when it reached the frame up to which tokens become final; none before that.
  std::shared_ptr<const TransducerHypothesis> crossed = nullptr;

  LmGain lmGain() const { return lm.active() ? LmGain{&lm, internal ? internal->data() : nullptr} : LmGain{}; }
  // After a token.
  void advance(int token) {
    boosting.advance(token);
    lm.advance(token);
  }
  // Call it when the hypothesis has moved to another frame.
  void cross(int64_t border) {
    if (!crossed && frame >= border) crossed = std::make_shared<TransducerHypothesis>(*this);
  }
};

// A hypothesis whose predictor is to be run on its last token, if it has not been.
struct Unread {
  TransducerHypothesis* hypothesis;
  Histories* histories;  // of its search
};
// Runs the predictors on all those tokens in one product (hypotheses that share a state still do afterwards), and
// appends the tokens to the histories. `fusion`, which may be null, says whether the predictor's own probabilities are
// wanted.
void readTokens(const Transducer& transducer, const Fusion* fusion, const std::vector<Unread>& unread);
void readTokens(const Transducer& transducer, const Fusion* fusion, Histories& histories,
                std::vector<TransducerHypothesis>& hypotheses);

// ln p of each token by the predictor alone, the encoder's part of the joint being zero (Meng et al. 2021, "Internal
// language model estimation"), for each state; null when `fusion` does not ask for it.
std::vector<std::shared_ptr<const std::vector<float>>> internalScores(const Transducer& transducer,
                                                                      const Fusion* fusion,
                                                                      const std::vector<const PredictorState*>& states);

// The joint's logits of each hypothesis at its frame.
void scoreAll(const Transducer& transducer, const DecoderFrames& frames,
              const std::vector<TransducerHypothesis>& hypotheses, std::vector<float>& logits);

// Keeps the `most` best, best first; ties in their order.
void keepBest(std::vector<TransducerHypothesis>& hypotheses, int most);

// Where a search ends: frames before `border` become final; it continues up to `end`, which is not before it.
struct SearchSpan {
  int64_t border, end;
};

// What the searches with and without durations share: where each call begins, and that it ends with one hypothesis, so
// that final tokens stay final. The search continues through the frames that are not final yet, if there are any: a
// hypothesis is ranked by its continuation, and only its part before the border is kept.
class TransducerBeamDecoder : public Decoder {
 public:
  TransducerBeamDecoder(std::shared_ptr<const Transducer> transducer, TransducerRules rules, const Beam& beam)
      : transducer_(std::move(transducer)), rules_(std::move(rules)), beam_(beam) {}

  int piece() const override { return searchedFrames; }
  mlx::core::array project(const mlx::core::array& encoded) const override {
    return transducer_->projectFrames(encoded);
  }
  std::unique_ptr<DecoderState> newState() const override {
    return std::make_unique<TransducerState>(transducer_->start());
  }
  void decode(const std::vector<DecoderJob>& jobs) const override;

 protected:
  // The search of one stream: where it begins, and what it finds.
  struct Search {
    const DecoderFrames* frames;
    SearchSpan span;
    TransducerHypothesis first;
    Histories histories = {};
    // Hypotheses at frame `span.end` or beyond it, at least one; those that have not reached it count too. Each that
    // has reached `span.border` has crossed it.
    std::vector<TransducerHypothesis> found = {};
  };
  virtual void search(std::vector<Search>& searches) const = 0;
  // The place of the best of what was found.
  virtual size_t best(const std::vector<TransducerHypothesis>& found) const;

  std::shared_ptr<const Transducer> transducer_;
  TransducerRules rules_;
  Beam beam_;

 private:
  // Nothing when no frame is to be decoded.
  std::optional<Search> begin(const DecoderJob& job) const;
  // Keeps the best of what was found.
  void end(Search& search, const DecoderJob& job) const;
};

}  // namespace parakeet
