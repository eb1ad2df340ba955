// Streaming for cache-aware models: causal convolutions and attention limited to chunks. A step encodes a chunk, each
// frame once, against caches of what was before it; the result is that of a pass over the whole signal. There is no
// draft: what is encoded is final.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>

#include "engine/stream_encoder.h"

namespace parakeet {

class CacheAwareEncoder : public StreamEncoder {
 public:
  CacheAwareEncoder(std::shared_ptr<const Encoder> encoder, const PreprocessorConfig& preprocessor,
                    StreamOptions options);

  Matrix recall(int64_t from, int64_t until, int64_t& first) const override;
  EncodedStep commit(PlannedStep planned, std::optional<EncodedPiece> encoded) override;

 private:
  std::optional<PlannedStep> gridStep() override;
  PlannedStep flushStep() override;
  PlannedStep lastStep() override;
  bool flushes() const override { return flushing_ > startMel_; }
  void archiveFields(ArchiveWriter& archive) override { fields(archive); }
  void archiveFields(ArchiveReader& archive) override { fields(archive); }
  bool valid() const override;
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

  template <class Archive>
  void fields(Archive& archive) {
    archive(context_, mel_, samples_, ended_, detector_, listened_, lastSound_, start_, startMel_, wakeFrom_,
            committed_, flushing_, flushSilence_);
  }

  Context context_;       // as in the options: a snapshot of another one does not fit
  int64_t startMel_ = 0;  // the first mel frame of the present signal; 0 while the model sleeps
};

}  // namespace parakeet
