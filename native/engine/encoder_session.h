// One stream's encoder: mel frames in, steps out, and the tickets that stand for their frames until they are decoded.
// How lookahead works is up to the derived classes (stream_encoder.h). Used on the engine's thread, or on those that
// plan steps for it while it waits (batches.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/counted.h"
#include "engine/mel_frames.h"
#include "engine/step_grid.h"
#include "engine/stream_options.h"
#include "model/encoder.h"

namespace parakeet {

class ArchiveReader;
class ArchiveWriter;

// What one step encoded. Frames are counted from the start of the stream.
struct EncodedStep {
  FrameRows encoded;           // for the frames from firstRow on
  int64_t firstRow = 0;        // at least firstFrame
  int64_t firstFrame = 0;      // first frame that this step makes final
  int64_t finalEnd = 0;        // frames before it are final
  int64_t seenEnd = 0;         // frames from finalEnd up to it are a draft
  int64_t lastTokenStart = 0;  // no token begins after this frame
  int64_t decodedEnd = 0;      // tokens come from the frames before it; beyond finalEnd only where silence flushes
  int64_t grown = 1;           // steps of the grid that it replaces
  Agreement agreement;         // what of the draft becomes final
  bool last = false;
  bool cut = false;  // flushed: what follows finalEnd is a new signal
};

// A step that is due, and the piece to encode for it; no piece if the whole step lies in a gated pause.
struct PlannedStep {
  EncodedStep step;
  std::optional<EncoderPiece> piece;
};

// An encoded step as the layers above see it.
struct Ticket {
  int number = 0;
  int64_t firstFrame = 0;
  int64_t final = 0;
  int64_t draft = 0;
  int64_t grown = 1;
  int batch = 1;            // steps that ran together
  StreamPosition position;  // of the stream after it
};

class EncoderSession : Counted<SessionTag> {
 public:
  explicit EncoderSession(std::shared_ptr<const Encoder> encoder) : encoder_(std::move(encoder)) {}
  virtual ~EncoderSession() = default;

  // Appends log-mel frames.
  virtual void push(const MelFrames& frames) = 0;
  // The signal is over; it had `samples` samples. Mel frames at and after floor(samples / hop) are the flush.
  virtual void finish(int64_t samples) = 0;
  // Makes everything pushed so far final with the next steps, as if the signal ended here: `silence` mel frames of
  // digital silence flush the model. What is pushed later is a new signal.
  virtual void flush(int silence) = 0;
  // Mel frames [from, until) of the stream that are still buffered, normalised with the current statistics; `first` is
  // set to the first of them.
  virtual Matrix recall(int64_t from, int64_t until, int64_t& first) const = 0;
  // How far a frame attends when they are heard again.
  virtual Context recallContext() const = 0;
  virtual StreamPosition position() const = 0;

  // The next step that is due, if any, with the piece to encode. The stream is unchanged until it is committed.
  virtual std::optional<PlannedStep> plan() = 0;
  // Makes the step that was planned last, with its encoded piece (if it had one), part of the stream's past.
  virtual EncodedStep commit(PlannedStep planned, std::optional<EncodedPiece> encoded) = 0;

  // Commits a step and keeps its frames until they are taken.
  Ticket keep(PlannedStep planned, std::optional<EncodedPiece> encoded, int batch = 1);
  // The frames of a ticket, which is then forgotten. Throws ERR_PARAKEET_INVALID_ARGUMENT for an unknown ticket.
  EncodedStep take(int ticket);

  // For snapshots. Only between steps: save() throws std::logic_error while a ticket is out.
  void save(ArchiveWriter& archive);
  void load(ArchiveReader& archive) { read(archive); }
  // What these two do with the derived class's state. read() throws ERR_PARAKEET_INVALID_SNAPSHOT.
  virtual void write(ArchiveWriter& archive) = 0;
  virtual void read(ArchiveReader& archive) = 0;

  // Steps of the same encoder can run in one batch.
  const Encoder& encoder() const { return *encoder_; }

 protected:
  // Whether these, of a snapshot, can be the caches of a stream that keeps so many frames.
  bool fits(const std::vector<LayerCache>& layers, int frames) const;

 private:
  std::shared_ptr<const Encoder> encoder_;
  std::map<int, EncodedStep> tickets_;
  int next_ = 0;
};

}  // namespace parakeet
