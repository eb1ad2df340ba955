// Streaming for models trained with full context: each step encodes the frames that are not final yet, against caches
// of those that are. Steps lie on a grid counted from the stream's start, so that the result does not depend on the
// pushes.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "engine/encoder_session.h"
#include "model/config.h"
#include "model/live_statistics.h"
#include "model/normalization.h"
#include "model/speech_detector.h"

namespace parakeet {

// Statistics that follow the stream, initialised with a prior that counts as this many mel frames.
struct RunningNormalization {
  Statistics prior;
  int frames = 0;
};
struct NoNormalization {};
using Normalization = std::variant<RunningNormalization, NoNormalization, Statistics>;

struct StreamOptions {
  int chunk = 1;      // frames that become final at each step, at least 1
  int lookahead = 0;  // frames of right context before a frame is final
  Context context;    // attention band
  int cache = 0;      // final frames whose keys and values are kept
  Normalization normalization = RunningNormalization{};
  int emissionDelay = 0;  // frames after the last sound within which a token may begin, at the flush
  int hangover = 80;      // mel frames of quiet after which speech is over
  bool gate = false;      // whether the model sleeps while nobody speaks
  int grow = 1;           // most steps of the grid that are taken as one when several are due
  int history = 0;        // mel frames that can be recalled, besides those that are needed
};

class BufferedEncoder : public EncoderSession {
 public:
  BufferedEncoder(std::shared_ptr<const Encoder> encoder, const PreprocessorConfig& preprocessor,
                  StreamOptions options);

  void push(const float* logMel, int frames) override;
  void finish(int64_t samples) override;
  void flush(int silence) override;
  Matrix recall(int64_t from, int64_t until, int64_t& first) const override;
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
  const float* melFrame(int64_t index) const;
  void dropMelBefore(int64_t index);
  bool valid() const;
  // Whether these can be the cache of a stream with these options.
  bool fits(const std::vector<LayerCache>& layers) const;
  // Whether the flushed audio has frames that are not final yet.
  bool flushes() const { return flushing_ / factor_ > committed_; }

  template <class Archive>
  void fields(Archive& archive) {
    archive(mel_, firstMel_, melFrames_, samples_, ended_, statistics_, heard_, detector_, changes_, listened_,
            lastSound_, start_, wakeFrom_, committed_, flushing_, flushSilence_);
  }

  PreprocessorConfig preprocessor_;
  StreamOptions options_;
  int features_, factor_;

  std::vector<float> mel_;  // frames firstMel_ … of the stream
  int64_t firstMel_ = 0;
  int64_t melFrames_ = 0;  // frames pushed so far
  int64_t samples_ = -1;   // of the whole signal, once it is over
  bool ended_ = false;     // the last step has run

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
