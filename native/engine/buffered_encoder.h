// Streaming for models trained with full context: each step encodes what is not final yet, against caches of what is
// (DESIGN: "Streaming that is right"). Steps lie on a grid counted from the stream's start, so that the result does not
// depend on the pushes.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "engine/encoder_stream.h"
#include "model/config.h"
#include "model/normalization.h"

namespace parakeet {

struct RunningNormalization {};
struct NoNormalization {};
using Normalization = std::variant<RunningNormalization, NoNormalization, Statistics>;

struct StreamOptions {
  int chunk = 1;      // frames that become final at each step, at least 1
  int lookahead = 0;  // frames of right context before a frame is final
  Context context;    // attention band
  int cache = 0;      // frames of keys and values kept from what is final
  Normalization normalization = RunningNormalization{};
  int emissionDelay = 0;  // frames that a token may begin after the last sound, at the flush
};

class BufferedEncoder : public EncoderStream {
 public:
  BufferedEncoder(std::shared_ptr<const Encoder> encoder, const PreprocessorConfig& preprocessor,
                  StreamOptions options);

  void push(const float* logMel, int frames) override;
  void finish(int64_t samples) override;
  std::optional<PlannedStep> plan() override;
  EncodedStep commit(PlannedStep planned, std::optional<EncodedPiece> encoded) override;

 private:
  std::optional<PlannedStep> gridStep();
  PlannedStep lastStep();
  // The piece for the frames [firstRow, …) from the mel frames before `seen`.
  EncoderPiece piece(const EncodedStep& step, int64_t seen, bool atEnd) const;
  // Reads mel frames before `until` into the statistics and looks for the first sound.
  void listen(int64_t until);
  Matrix normalized(int64_t from, int64_t until) const;
  const float* melFrame(int64_t index) const;
  void dropMelBefore(int64_t index);

  std::shared_ptr<const Encoder> encoder_;
  PreprocessorConfig preprocessor_;
  StreamOptions options_;
  int features_, factor_;

  std::vector<float> mel_;  // frames firstMel_ … of the stream
  int64_t firstMel_ = 0;
  int64_t melFrames_ = 0;  // frames pushed so far
  int64_t samples_ = -1;   // of the whole signal, once it is over
  bool ended_ = false;     // the last step has run

  RunningStatistics statistics_;
  int64_t listened_ = 0;    // mel frames read by listen()
  int64_t lastSound_ = -1;  // last mel frame that is not digital silence
  int64_t start_ = -1;      // encoder frame at which the model begins, once known
  int64_t committed_ = 0;   // encoder frames that are final
  std::vector<LayerCache> caches_;
};

}  // namespace parakeet
