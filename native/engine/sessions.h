// The native state of one stream's stages, and the tickets that travel between them instead of tensors.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "engine/encoder_stream.h"
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
};

// Used on the engine's thread only.
class EncoderSession : Counted<SessionTag> {
 public:
  explicit EncoderSession(std::unique_ptr<EncoderStream> stream) : stream_(std::move(stream)) {}
  EncoderStream& stream() { return *stream_; }
  std::optional<Ticket> step(const CancelFlag& cancel);
  // The frames of a ticket, which is then forgotten. Throws ERR_PARAKEET_INVALID_ARGUMENT for an unknown ticket.
  EncodedStep take(int ticket);

 private:
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
  explicit DecoderSession(std::shared_ptr<const Decoder> decoder)
      : decoder_(std::move(decoder)), state_(decoder_->start()) {}
  // Decodes what the step made final, and from a copy of the state what it drafts.
  Decoded decode(const EncodedStep& step, bool draft);

 private:
  std::shared_ptr<const Decoder> decoder_;
  std::unique_ptr<DecoderState> state_;
};

}  // namespace parakeet
