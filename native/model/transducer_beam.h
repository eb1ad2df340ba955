// Hypotheses of a transducer's beam search.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "model/beam.h"
#include "model/transducer.h"

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
};

// Has the predictors of all hypotheses read their last token, in one product (those that share one share it after), and
// puts it into their histories.
void readTokens(const Transducer& transducer, Histories& histories, std::vector<TransducerHypothesis>& hypotheses);

// The joint's logits of each hypothesis at its frame. Frame i of `frames` is `firstFrame + i`.
void scoreAll(const Transducer& transducer, const Matrix& frames, int64_t firstFrame,
              const std::vector<TransducerHypothesis>& hypotheses, std::vector<float>& logits);

// Keeps the `most` best, the best first; equal ones in their order.
void keepBest(std::vector<TransducerHypothesis>& hypotheses, int most);

}  // namespace parakeet
