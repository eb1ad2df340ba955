// The front end of one stream: its log-mel, as whole frames, and where speech begins and ends in it, so that this is
// known at once, however long a step of the encoder takes. Used on one thread at a time: the front end's, or Node's for
// a few samples.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/counted.h"
#include "engine/mel_frames.h"
#include "model/archive.h"
#include "model/log_mel.h"
#include "model/speech_detector.h"

namespace parakeet {

class MelSession : Counted<SessionTag> {
 public:
  // `hangover`: mel frames of quiet after which speech is over.
  MelSession(const std::shared_ptr<const MelFilters>& filters, int hangover)
      : preprocessor_(filters->config), stream_(filters), detector_(hangover) {}
  MelFrames push(const std::vector<float>& samples);
  // Nobody speaks in the flush.
  MelFrames finish(size_t flush);
  // For snapshots. load() throws ERR_PARAKEET_INVALID_SNAPSHOT.
  void save(ArchiveWriter& archive) { archive(stream_, detector_); }
  void load(ArchiveReader& archive);

 private:
  // Frames, of which `live` at most are of the signal itself.
  MelFrames frames(std::vector<float> data, int64_t live);

  PreprocessorConfig preprocessor_;
  LogMelStream stream_;
  SpeechDetector detector_;
};

}  // namespace parakeet
