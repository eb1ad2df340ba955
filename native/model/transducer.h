// Predictor and joint of a transducer (Graves 2012; NeMo's RNNTDecoder and RNNTJoint). Read-only; the state of a stream
// is PredictorState.
#pragma once

#include <unordered_map>
#include <vector>

#include "model/config.h"
#include "model/weights.h"
#include "ops/ops.h"
#include "ops/row_matrix.h"

namespace parakeet {

// The predictor after some tokens: LSTM state, and its output as the joint sees it.
struct PredictorState {
  std::vector<float> hidden;      // layers × hidden
  std::vector<float> cell;        // layers × hidden
  std::vector<float> projection;  // joint hidden

  template <class Archive>
  void archive(Archive& archive) {
    archive(hidden, cell, projection);
  }
};

class Transducer {
 public:
  Transducer(const ModelConfig& config, const Weights& weights, ops::DType dtype);

  // The state before the first token (the predictor has seen a zero vector).
  PredictorState start() const;
  // Advances each state by its token. On the engine's thread, as `start`.
  struct Advance {
    PredictorState* state;
    int token;
  };
  void advance(const std::vector<Advance>& moves) const;
  // The joint's share of each encoder frame: [frames, joint hidden]. On the engine's thread.
  mlx::core::array projectFrames(const mlx::core::array& encoded) const { return frameProjection_(encoded); }
  // An encoder frame (`joint hidden` values) and the predictor state that it is scored with.
  struct JointInput {
    const float* frame;
    const PredictorState* state;
  };
  // Logits of each input: the tokens, the blank, then the durations. Weights are read once for all inputs. `logits`:
  // inputs × outputs() values; those of one input do not depend on the others.
  void joint(const std::vector<JointInput>& inputs, std::vector<float>& logits) const;
  int outputs() const { return outputs_; }
  int vocabulary() const { return vocabulary_; }

 private:
  struct LstmLayer {
    ops::RowMatrix inputs, recurrent;  // [4 · hidden, hidden]; gates i, f, g, o
  };
  // What each token contributes to the first layer's gates: moves × 4 · hidden values. Most text consists of few
  // tokens, and drafts read the same ones repeatedly, so the results are cached: their share of the weights, about as
  // large as the whole joint's, need not be read again.
  void gatesOf(const std::vector<Advance>& moves, float* gates) const;

  int vocabulary_, hidden_, jointHidden_, outputs_;
  void (*join_)(const float* frame, const float* projection, float* mixed, int count);  // their sum, activated
  ops::RowTable embedding_;                                                             // [vocabulary + 1, hidden]
  std::vector<LstmLayer> layers_;
  mutable std::unordered_map<int, std::vector<float>> gatesOfTokens_;  // on the engine's thread
  ops::RowMatrix predictor_, out_;
  ops::Linear frameProjection_;
};

}  // namespace parakeet
