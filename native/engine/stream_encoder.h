// What every kind of streaming keeps of a stream: its mel frames, where it is, whether somebody speaks, and the past
// that its encoder sees. When a step is due, and what belongs to it, the derived classes say (buffered_encoder.h,
// cache_aware_encoder.h).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/encoder_session.h"
#include "engine/mel_buffer.h"
#include "engine/stream_options.h"
#include "model/config.h"
#include "model/speech_detector.h"

namespace parakeet {

class StreamEncoder : public EncoderSession {
 public:
  void push(const MelFrames& frames) override { mel_.push(frames); }
  void finish(int64_t samples) override { samples_ = samples; }
  void flush(int silence) override;
  Context recallContext() const override { return options_.recall; }
  StreamPosition position() const override;
  std::optional<PlannedStep> plan() override;
  void write(ArchiveWriter& archive) override;
  void read(ArchiveReader& archive) override;

 protected:
  StreamEncoder(std::shared_ptr<const Encoder> encoder, const PreprocessorConfig& preprocessor, StreamOptions options);

  // The next step of the grid, if the mel frames are enough for it; what a flush makes final; and the end of the
  // signal.
  virtual std::optional<PlannedStep> gridStep() = 0;
  virtual PlannedStep flushStep() = 0;
  virtual PlannedStep lastStep() = 0;
  // Whether the flushed audio has something that is not final yet.
  virtual bool flushes() const = 0;
  // The fields of a snapshot, in their order, but for the caches; and whether they fit together.
  virtual void archiveFields(ArchiveWriter& archive) = 0;
  virtual void archiveFields(ArchiveReader& archive) = 0;
  virtual bool valid() const = 0;

  // Mel frames that can make a step due: not those beyond the end of the signal, nor beyond what is flushed.
  int64_t liveFrames() const;
  // The detector hears the next mel frame, of this level.
  void detect(float level);
  // With the gate: puts the model to sleep if everything from mel frame `from` on is quiet, or wakes it. Whether it
  // did.
  bool sleepOrWake(int64_t from);

  PreprocessorConfig preprocessor_;
  StreamOptions options_;
  int features_, factor_;

  MelBuffer mel_;
  int64_t samples_ = -1;  // of the whole signal, once it is over
  bool ended_ = false;    // the last step has run

  // Hears what the steps see, for the gate and the statistics; the front end's is ahead of it (mel_session.h).
  SpeechDetector detector_;
  int64_t listened_ = 0;      // mel frames that the detector has heard
  int64_t lastSound_ = -1;    // last mel frame that is not digital silence
  int64_t start_ = 0;         // encoder frame at which the present signal begins; −1 while the model sleeps
  int64_t wakeFrom_ = -1;     // mel frame of the sound that wakes it
  int64_t committed_ = 0;     // encoder frames that are final
  int64_t flushing_ = -1;     // mel frames that a flush has to make final; −1 for none
  int32_t flushSilence_ = 0;  // mel frames of silence for it
  StreamCachePtr past_;
};

}  // namespace parakeet
