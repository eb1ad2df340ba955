// Streaming for models trained with full context: each step encodes the frames that are not final yet, against caches
// of those that are. Steps lie on a grid counted from the stream's start, so that the result does not depend on the
// pushes.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/stream_encoder.h"
#include "model/live_statistics.h"

namespace parakeet {

class BufferedEncoder : public StreamEncoder {
 public:
  BufferedEncoder(std::shared_ptr<const Encoder> encoder, const PreprocessorConfig& preprocessor,
                  StreamOptions options);

  Matrix recall(int64_t from, int64_t until, int64_t& first) const override;
  EncodedStep commit(PlannedStep planned, std::optional<EncodedPiece> encoded) override;

 private:
  std::optional<PlannedStep> gridStep() override;
  PlannedStep flushStep() override;
  PlannedStep lastStep() override;
  bool flushes() const override { return flushing_ / factor_ > committed_; }
  void archiveFields(ArchiveWriter& archive) override { fields(archive); }
  void archiveFields(ArchiveReader& archive) override { fields(archive); }
  bool valid() const override;
  // Whether the model may sleep through the mel frames [from, until), and puts it to sleep or wakes it.
  void minds(int64_t from, int64_t until);
  // The piece for the frames [firstRow, …) from the mel frames before `seen`, and `silence` more of digital silence.
  EncoderPiece piece(const EncodedStep& step, int64_t seen, bool atEnd, int silence = 0) const;
  // Reads mel frames before `until` and looks for the first sound. What counts waits in heard_ for the statistics.
  void listen(int64_t until);
  void normalize(const float* frames, int count, std::vector<float>& out) const;

  template <class Archive>
  void fields(Archive& archive) {
    archive(mel_, samples_, ended_, statistics_, heard_, detector_, listened_, lastSound_, start_, wakeFrom_,
            committed_, flushing_, flushSilence_);
  }

  LiveStatistics statistics_;
  std::vector<SoundFrame> heard_;  // not yet in the statistics
};

}  // namespace parakeet
