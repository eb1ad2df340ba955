// The native state of one stream's stages, and the tickets that are passed between them instead of tensors.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "engine/encoder_stream.h"
#include "model/archive.h"
#include "model/decoder.h"
#include "model/log_mel.h"
#include "model/model.h"

namespace parakeet {

// Counts what is alive, for tests and diagnostics.
template <class Tag>
class Counted {
 public:
  Counted() { alive()++; }
  ~Counted() { alive()--; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  static std::atomic<int>& alive() {
    static std::atomic<int> count{0};
    return count;
  }
};
struct SessionTag {};
struct ModelTag {};

// Used on the front-end thread only.
class MelSession : Counted<SessionTag> {
 public:
  explicit MelSession(std::shared_ptr<const MelFilters> filters)
      : features_(filters->config.features), stream_(filters) {}
  Matrix push(const std::vector<float>& samples);
  Matrix finish(size_t flush);
  // For snapshots; see EncoderStream.
  void save(ArchiveWriter& archive) { archive(stream_); }
  void load(ArchiveReader& archive);

 private:
  Matrix frames(std::vector<float> data) const;
  int features_;
  LogMelStream stream_;
};

struct Ticket {
  int number = 0;
  int64_t firstFrame = 0;
  int64_t final = 0;
  int64_t draft = 0;
  int64_t grown = 1;
  int batch = 1;  // steps that ran together
  std::vector<SpeechChange> changes;
};

// Used on the engine's thread only.
class EncoderSession : Counted<SessionTag> {
 public:
  EncoderSession(std::shared_ptr<const Encoder> encoder, std::unique_ptr<EncoderStream> stream)
      : encoder_(std::move(encoder)), stream_(std::move(stream)) {}
  EncoderStream& stream() { return *stream_; }
  const EncoderStream& stream() const { return *stream_; }
  // Steps of the same encoder can run in one batch.
  const Encoder& encoder() const { return *encoder_; }
  // Commits a step and keeps its frames until they are taken.
  Ticket keep(PlannedStep planned, std::optional<EncodedPiece> encoded, int batch = 1);
  // For snapshots. Only between steps: throws std::logic_error while a ticket is out.
  void save(ArchiveWriter& archive);
  void load(ArchiveReader& archive) { stream_->load(archive); }
  // The frames of a ticket, which is then forgotten. Throws ERR_PARAKEET_INVALID_ARGUMENT for an unknown ticket.
  EncodedStep take(int ticket);

 private:
  std::shared_ptr<const Encoder> encoder_;
  std::unique_ptr<EncoderStream> stream_;
  std::map<int, EncodedStep> tickets_;
  int next_ = 0;
};

struct Decoded {
  Tokens final, draft;
};

// Used on the engine's thread only.
class DecoderSession : Counted<SessionTag> {
 public:
  DecoderSession(std::shared_ptr<const Decoder> decoder, std::shared_ptr<const BoostTree> boost)
      : decoder_(std::move(decoder)), state_(decoder_->start()) {
    setBoost(std::move(boost));
  }
  // Replaces the boosted phrases from the next step on; null for none.
  void setBoost(std::shared_ptr<const BoostTree> boost) { state_->boosting.set(std::move(boost)); }
  const Decoder& decoder() const { return *decoder_; }

  struct Job {
    DecoderSession* session;
    EncodedStep step;
    bool draft;
  };
  // For each job, decodes the frames that its step made final, and the draft from a copy of the state. All jobs have
  // the same decoder and different sessions. If it throws, all sessions are unchanged.
  static std::vector<Decoded> decode(const std::vector<Job>& jobs);

  // Decodes the frames [from, until) of a stream again with full context on both sides, as far as they are buffered.
  // Does not change the state.
  Tokens hearAgain(const EncoderSession& encoder, int64_t from, int64_t until, const CancelFlag& cancel) const;

  void save(ArchiveWriter& archive) { state_->save(archive); }
  void load(ArchiveReader& archive) { state_->load(archive); }

 private:
  std::shared_ptr<const Decoder> decoder_;
  std::unique_ptr<DecoderState> state_;
};

}  // namespace parakeet
