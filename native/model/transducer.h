// Predictor and joint of a transducer (Graves 2012; NeMo's RNNTDecoder and RNNTJoint). Read-only; the state of a stream
// is PredictorState.
#pragma once

#include <vector>

#include "model/config.h"
#include "model/encoder.h"
#include "model/weights.h"
#include "ops/cpu/row_matrix.h"
#include "ops/ops.h"

namespace parakeet {

// The predictor after some tokens: LSTM state, and its output as the joint sees it.
struct PredictorState {
  std::vector<float> hidden;      // layers × hidden
  std::vector<float> cell;        // layers × hidden
  std::vector<float> projection;  // joint hidden
};

class Transducer {
 public:
  Transducer(const ModelConfig& config, const Weights& weights, ops::DType dtype);

  // The state before the first token (the predictor has seen a zero vector).
  PredictorState start() const;
  // The state after `token` more.
  void advance(PredictorState& state, int token) const;
  // The joint's share of each encoder frame: [frames, joint hidden]. On the engine's thread.
  Matrix projectFrames(const Matrix& encoded) const;
  // Logits of `frames` (each `joint hidden` values) with one predictor state: for each the tokens, the blank, then the
  // durations. The weights are read once for all. `logits`: frames × outputs() values; a frame's are the same whatever
  // stands beside it.
  void joint(const std::vector<const float*>& frames, const PredictorState& state, std::vector<float>& logits) const;
  int outputs() const { return outputs_; }

 private:
  struct LstmLayer {
    ops::RowMatrix inputs, recurrent;  // [4 · hidden, hidden]; gates i, f, g, o
  };
  void feed(PredictorState& state, std::vector<float> input) const;

  int hidden_, jointHidden_, outputs_;
  std::string activation_;
  ops::RowMatrix embedding_;  // [vocabulary + 1, hidden]
  std::vector<LstmLayer> layers_;
  ops::RowMatrix predictor_, out_;
  ops::Linear frameProjection_;
};

}  // namespace parakeet
