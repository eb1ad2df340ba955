// One stream's encoder as the layers above see it: mel frames in, steps out. How lookahead is done is the strategy's
// affair (buffered_encoder.h now; cache-aware models later).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/encoder.h"
#include "model/speech_detector.h"

namespace parakeet {

class ArchiveReader;
class ArchiveWriter;

// What one step encoded. Frames are counted from the start of the stream.
struct EncodedStep {
  Matrix encoded;              // rows for the frames firstRow … firstRow + rows − 1
  int64_t firstRow = 0;        // at least firstFrame
  int64_t firstFrame = 0;      // first frame that this step makes final
  int64_t finalEnd = 0;        // frames before it are final
  int64_t seenEnd = 0;         // frames from finalEnd up to it are a draft
  int64_t lastTokenStart = 0;  // no token begins after this frame
  int64_t grown = 1;           // steps of the grid that it stands for
  bool last = false;
  bool cut = false;                   // what follows is a new signal: everything before finalEnd was flushed out
  std::vector<SpeechChange> changes;  // heard while the step was awaited
};

// A step that can be taken, and the piece that has to be encoded for it; none when no frame of it is the model's.
struct PlannedStep {
  EncodedStep step;
  std::optional<EncoderPiece> piece;
};

class EncoderStream {
 public:
  virtual ~EncoderStream() = default;
  // Appends log-mel frames, row-major.
  virtual void push(const float* logMel, int frames) = 0;
  // The signal is over; it had `samples` samples. Mel frames at and after floor(samples / hop) are the flush.
  virtual void finish(int64_t samples) = 0;
  // All that was pushed becomes final with the next steps, as if the signal ended here: `silence` mel frames of digital
  // silence flush the model. What is pushed later is heard anew.
  virtual void flush(int silence) = 0;
  // Mel frames [from, until) of the stream, normalised by what is known now, as far as they are kept; `first` becomes
  // the first of them.
  virtual Matrix recall(int64_t from, int64_t until, int64_t& first) const = 0;
  // For snapshots. load() throws ERR_PARAKEET_INVALID_SNAPSHOT.
  virtual void save(ArchiveWriter& archive) = 0;
  virtual void load(ArchiveReader& archive) = 0;
  // The next step that is due, if any: what is to be encoded for it. Until it is committed, the stream is as it was.
  virtual std::optional<PlannedStep> plan() = 0;
  // Takes what was planned last, and what its piece gave (if it had one), as the stream's past.
  virtual EncodedStep commit(PlannedStep planned, std::optional<EncodedPiece> encoded) = 0;
};

}  // namespace parakeet
