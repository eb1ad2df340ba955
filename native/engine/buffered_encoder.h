// Streaming for models trained with full context: each step encodes the frames that are not final yet, against caches
// of those that are. Steps lie on a grid counted from the stream's start, so that the result does not depend on the
// pushes.
#pragma once

#include <memory>
#include <vector>

#include "engine/encoder_session.h"
#include "engine/mel_buffer.h"
#include "engine/stream_options.h"
#include "model/config.h"
#include "model/live_statistics.h"
#include "model/speech_detector.h"

namespace parakeet {

class BufferedEncoder : public EncoderSession {
 public:
  BufferedEncoder(std::shared_ptr<const Encoder> encoder, const PreprocessorConfig& preprocessor,
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
  std::optional<PlannedStep> gridStep();
  PlannedStep flushStep();
  PlannedStep lastStep();
  // Whether the model may sleep through the mel frames [from, until), and puts it to sleep or wakes it.
  void minds(int64_t from, int64_t until);
  // The piece for the frames [firstRow, …) from the mel frames before `seen`, and `silence` more of digital silence.
  EncoderPiece piece(const EncodedStep& step, int64_t seen, bool atEnd, int silence = 0) const;
  // Reads mel frames before `until` and looks for the first sound. What counts waits in heard_ for the statistics.
  void listen(int64_t until);
  void normalize(const float* frames, int count, std::vector<float>& out) const;
  bool valid() const;
  // Whether the flushed audio has frames that are not final yet.
  bool flushes() const { return flushing_ / factor_ > committed_; }

  template <class Archive>
  void fields(Archive& archive) {
    archive(mel_, samples_, ended_, statistics_, heard_, detector_, changes_, listened_, lastSound_, start_, wakeFrom_,
            committed_, flushing_, flushSilence_);
  }

  PreprocessorConfig preprocessor_;
  StreamOptions options_;
  int features_, factor_;

  MelBuffer mel_;
  int64_t samples_ = -1;  // of the whole signal, once it is over
  bool ended_ = false;    // the last step has run

  LiveStatistics statistics_;
  std::vector<SoundFrame> heard_;  // not yet in the statistics
  SpeechDetector detector_;
  std::vector<SpeechChange> changes_;  // not yet reported
  int64_t listened_ = 0;               // mel frames read by listen()
  int64_t lastSound_ = -1;             // last mel frame that is not digital silence
  int64_t start_ = -1;                 // encoder frame at which the present signal begins; −1 while the model sleeps
  int64_t wakeFrom_ = -1;              // mel frame of the sound that wakes it
  int64_t committed_ = 0;              // encoder frames that are final
  int64_t flushing_ = -1;              // mel frames that a flush has to make final; −1 for none
  int32_t flushSilence_ = 0;           // mel frames of silence for it
  StreamCachePtr past_;
};

}  // namespace parakeet
