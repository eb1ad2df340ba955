// Streaming for cache-aware models: causal convolutions and attention limited to chunks. A step encodes a chunk, each
// frame once, against caches of what was before it; the result is that of a pass over the whole signal. There is no
// draft: what is encoded is final.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "engine/encoder_session.h"
#include "engine/mel_buffer.h"
#include "engine/stream_options.h"
#include "model/config.h"
#include "model/speech_detector.h"

namespace parakeet {

class CacheAwareEncoder : public EncoderSession {
 public:
  CacheAwareEncoder(std::shared_ptr<const Encoder> encoder, const PreprocessorConfig& preprocessor,
                    StreamOptions options);

  void push(const float* logMel, int frames) override { mel_.push(logMel, frames); }
  void finish(int64_t samples) override { samples_ = samples; }
  void flush(int silence) override;
  Matrix recall(int64_t from, int64_t until, int64_t& first) const override;
  Context recallContext() const override { return options_.recall; }
  StreamPosition position() const override;
  std::optional<PlannedStep> plan() override;
  EncodedStep commit(PlannedStep planned, std::optional<EncodedPiece> encoded) override;
  void write(ArchiveWriter& archive) override;
  void read(ArchiveReader& archive) override;

 private:
  std::optional<PlannedStep> chunkStep();
  PlannedStep flushStep();
  PlannedStep lastStep();
  // The piece for the frames from the step's firstRow up to `end`, which see mel frames before `seen` and `silence`
  // more of digital silence; `ended` if the signal ends there.
  EncoderPiece piece(const EncodedStep& step, int64_t end, int64_t seen, bool ended, int silence) const;
  // Reads mel frames before `until`; with the gate, puts the model to sleep or wakes it for those from `from` on.
  void listen(int64_t from, int64_t until);
  // The last mel frame that an encoder frame of the present signal sees.
  int64_t melOf(int64_t frame) const { return startMel_ + (frame - std::max<int64_t>(0, start_)) * factor_; }
  // Encoder frames of the stream that mel frames before `end` are enough for.
  int64_t framesBefore(int64_t end, bool ended) const {
    return std::max<int64_t>(0, start_) + encoder().config().framesOf(end - startMel_, ended);
  }
  // Whether there is something to flush since the last time.
  bool flushes() const { return flushing_ > startMel_; }

  template <class Archive>
  void fields(Archive& archive) {
    archive(context_, mel_, samples_, ended_, detector_, changes_, listened_, lastSound_, start_, startMel_, wakeFrom_,
            committed_, flushing_, flushSilence_);
  }

  PreprocessorConfig preprocessor_;
  StreamOptions options_;
  int features_, factor_;
  Context context_;  // as in the options: a snapshot of another one does not fit

  MelBuffer mel_;
  int64_t samples_ = -1;  // of the whole signal, once it is over
  bool ended_ = false;    // the last step has run

  SpeechDetector detector_;
  std::vector<SpeechChange> changes_;  // not yet reported
  int64_t listened_ = 0;               // mel frames read by listen()
  int64_t lastSound_ = -1;             // last mel frame that is not digital silence
  int64_t start_ = 0;                  // encoder frame at which the present signal begins; −1 while the model sleeps
  int64_t startMel_ = 0;               // its first mel frame; 0 while the model sleeps
  int64_t wakeFrom_ = -1;              // mel frame of the speech that wakes it
  int64_t committed_ = 0;              // encoder frames that are final
  int64_t flushing_ = -1;              // mel frames that a flush has to make final; −1 for none
  int32_t flushSilence_ = 0;           // mel frames of silence for it
  StreamCachePtr past_;
};

}  // namespace parakeet
