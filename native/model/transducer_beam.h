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
  int64_t frame = 0;
  int symbols = 0;  // at the frame
  TextKey text;
  int history = -1;  // in the search's Histories, without the unread token
  std::shared_ptr<const PredictorState> predictor;
  std::optional<Token> unread = std::nullopt;  // the last token, which the predictor has not seen yet
  Boosting boosting = {};
  // Its state when it reached the frame up to which tokens become final; none before that.
  std::shared_ptr<const TransducerHypothesis> crossed = nullptr;

  // Call it when the hypothesis has moved to another frame.
  void cross(int64_t border) {
    if (!crossed && frame >= border) crossed = std::make_shared<TransducerHypothesis>(*this);
  }
};

// Runs the predictors of all hypotheses on their last tokens, in one product (hypotheses that share a state still do
// afterwards), and appends the tokens to their histories.
void readTokens(const Transducer& transducer, Histories& histories, std::vector<TransducerHypothesis>& hypotheses);

// The joint's logits of each hypothesis at its frame.
void scoreAll(const Transducer& transducer, const DecoderFrames& frames,
              const std::vector<TransducerHypothesis>& hypotheses, std::vector<float>& logits);

// Keeps the `most` best, best first; ties in their order.
void keepBest(std::vector<TransducerHypothesis>& hypotheses, int most);

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
  std::unique_ptr<DecoderState> start() const override {
    return std::make_unique<TransducerState>(transducer_->start());
  }
  void decode(const std::vector<DecoderJob>& jobs) const override;

 protected:
  // Hypotheses at frame `end` or beyond it, at least one; those that have not reached it count too. Each that has
  // reached `border`, which is not after `end`, has crossed it.
  virtual std::vector<TransducerHypothesis> search(const DecoderFrames& frames, TransducerHypothesis first,
                                                   int64_t border, int64_t end, Histories& histories) const = 0;

  std::shared_ptr<const Transducer> transducer_;
  TransducerRules rules_;
  Beam beam_;

 private:
  void decode(const DecoderJob& job) const;
};

}  // namespace parakeet
