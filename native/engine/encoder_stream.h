// One stream's encoder as the layers above see it: mel frames in, steps out. How lookahead is done is the strategy's
// affair (buffered_encoder.h now; cache-aware models later).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/encoder.h"

namespace parakeet {

// What one step encoded. Frames are counted from the start of the stream.
struct EncodedStep {
  Matrix encoded;              // rows for the frames firstRow … firstRow + rows − 1
  int64_t firstRow = 0;        // at least firstFrame
  int64_t firstFrame = 0;      // first frame that this step makes final
  int64_t finalEnd = 0;        // frames before it are final
  int64_t seenEnd = 0;         // frames from finalEnd up to it are a draft
  int64_t lastTokenStart = 0;  // no token begins after this frame
  bool last = false;
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
  // The next step that is due, if any: what is to be encoded for it. Until it is committed, the stream is as it was.
  virtual std::optional<PlannedStep> plan() = 0;
  // Takes what was planned last, and what its piece gave (if it had one), as the stream's past.
  virtual EncodedStep commit(PlannedStep planned, std::optional<EncodedPiece> encoded) = 0;
};

}  // namespace parakeet
