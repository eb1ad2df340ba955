// One stream's encoder as the layers above see it: mel frames in, steps out. How lookahead is done is the strategy's
// affair (buffered_encoder.h now; cache-aware models later).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/cancel.h"
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

class EncoderStream {
 public:
  virtual ~EncoderStream() = default;
  // Appends log-mel frames, row-major.
  virtual void push(const float* logMel, int frames) = 0;
  // The signal is over; it had `samples` samples. Mel frames at and after floor(samples / hop) are the flush.
  virtual void finish(int64_t samples) = 0;
  // Runs the next step that is due, if any. On the engine's thread. When it throws, the stream is as it was before.
  virtual std::optional<EncodedStep> step(const CancelFlag& cancel) = 0;
};

}  // namespace parakeet
