// A loaded model: what its streams share, and the passes over whole signals. Read-only after loading; every method that
// computes with MLX runs on the engine's thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "model/cancel.h"
#include "model/config.h"
#include "model/decoder.h"
#include "model/encoder.h"
#include "model/listening.h"
#include "model/tokens.h"
#include "model/weights.h"

namespace parakeet {

enum class Head { tdt, rnnt, ctc };

// How tokens are chosen.
struct Decoding {
  Head head = Head::tdt;
  std::optional<Beam> beam = std::nullopt;  // none: greedy
  std::shared_ptr<const BoostTree> boost = nullptr;
  std::shared_ptr<const Fusion> lm = nullptr;
  Measure measure = Measure::entropy;  // of confidence

  // What signals must have in common to be decoded together; their phrases may differ.
  bool inOneWay(const Decoding& other) const {
    return head == other.head && beam == other.beam && measure == other.measure &&
           (lm == nullptr) == (other.lm == nullptr) && (!lm || *lm == *other.lm);
  }
};

class Model {
 public:
  // Throws ERR_PARAKEET_INVALID_WEIGHTS when a tensor is missing or of the wrong shape.
  Model(ModelConfig config, const Weights& weights, ops::DType dtype, const CancelFlag& cancel);

  // Runs what recordings and streams run, on noise: a GPU compiles kernels when they are first used. On the engine's
  // thread.
  void warmUp(const CancelFlag& cancel) const;

  const ModelConfig& config() const { return config_; }
  const std::shared_ptr<const Encoder>& encoder() const { return encoder_; }
  const std::shared_ptr<const MelFilters>& filters() const { return filters_; }
  // Throws ERR_PARAKEET_INVALID_ARGUMENT when the model has no such head.
  std::shared_ptr<const Decoder> decoder(const Decoding& decoding) const;

  Tokens decode(const FrameRows& encoded, const Decoding& decoding, const CancelFlag& cancel) const;
  // Transcribes several signals at once with full context; each result is the same as alone.
  std::vector<Tokens> recognize(const std::vector<const Heard*>& signals, const Context& context,
                                const Decoding& decoding, const CancelFlag& cancel) const;

  // The same in two halves, so that many signals can be encoded some at a time. `decode` takes
  // any number of encoded signals and gives the tokens of each, in the same order.
  struct Encoded {
    FrameRows frames;  // none for digital silence
    int64_t lastStart = noLimit, skipped = 0;
    std::shared_ptr<const BoostTree> boost = nullptr;
  };
  std::vector<Encoded> encode(const std::vector<const Heard*>& signals, const Context& context,
                              const CancelFlag& cancel) const;
  std::vector<Tokens> decode(const std::vector<Encoded>& signals, const Decoding& decoding,
                             const CancelFlag& cancel) const;

 private:
  std::shared_ptr<Decoder> makeDecoder(const Decoding& decoding) const;

  ModelConfig config_;
  std::shared_ptr<const MelFilters> filters_;
  std::shared_ptr<const Encoder> encoder_;
  std::shared_ptr<const Transducer> transducer_;
  std::shared_ptr<const CtcHead> ctcHead_;
  std::shared_ptr<const DeviceGreedy> deviceGreedy_;  // null for a CPU
  // One for each way of decoding, as long as a stream uses it: streams that share it are decoded together. On the
  // engine's thread.
  mutable std::vector<std::pair<Decoding, std::weak_ptr<const Decoder>>> decoders_;
};

}  // namespace parakeet
