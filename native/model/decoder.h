// Decoding of encoder frames as they become final: one interface, one implementation for each loss. A decoder's state
// is a value that can be copied, so that a draft is decoded from a copy.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>

#include "model/config.h"
#include "model/encoder.h"
#include "model/tokens.h"

namespace parakeet {

// Frames prepared for decoding: what can be computed for all of them at once. Frame i of the matrix is `firstFrame +
// i`.
struct DecoderFrames {
  Matrix values;
  int64_t firstFrame = 0;
  int64_t end() const { return firstFrame + values.rows; }
};

constexpr int64_t noLimit = std::numeric_limits<int64_t>::max();

class DecoderState {
 public:
  virtual ~DecoderState() = default;
  virtual std::unique_ptr<DecoderState> clone() const = 0;
  // Decodes the frames before `until` and appends to `tokens`. Tokens that would begin after frame `lastStart` are not
  // made. What began earlier and jumps past `until` goes on at the next call.
  virtual void decode(const DecoderFrames& frames, int64_t until, int64_t lastStart, Tokens& tokens) = 0;
  // The signal is over: appends what was still open.
  virtual void finish(int64_t lastStart, Tokens& tokens) = 0;
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  // On the engine's thread.
  virtual DecoderFrames prepare(const Matrix& encoded, int64_t firstFrame) const = 0;
  virtual std::unique_ptr<DecoderState> start() const = 0;
};

class Transducer;

// Token-and-duration transducer, greedy (Xu et al. 2023; NeMo's GreedyTDTInfer): token and duration are the argmaxes of
// one joint output; the frame pointer moves by the duration, a blank of duration 0 moves it by one; at most
// `maxSymbols` tokens at one frame.
std::unique_ptr<Decoder> makeTdtDecoder(std::shared_ptr<const Transducer> transducer, const ModelConfig& config);
// Transducer, greedy (Graves 2012; NeMo's GreedyRNNTInfer): a blank moves to the next frame; a token lasts one frame.
std::unique_ptr<Decoder> makeRnntDecoder(std::shared_ptr<const Transducer> transducer, const ModelConfig& config);
// Connectionist temporal classification, greedy: `name` is the head's tensor prefix.
std::unique_ptr<Decoder> makeCtcDecoder(const std::string& name, const ModelConfig& config, const Weights& weights,
                                        ops::DType dtype);

}  // namespace parakeet
