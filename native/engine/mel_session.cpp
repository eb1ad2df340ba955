#include "engine/mel_session.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "model/mutant.h"
#include "model/speech_level.h"
#include "ops/profile.h"

namespace parakeet {

MelFrames MelSession::push(const std::vector<float>& samples) {
  const ops::PartTimer timer(ops::Part::mel);
  std::vector<float> data;
  stream_.push(samples.data(), samples.size(), data);
  return frames(std::move(data), std::numeric_limits<int64_t>::max());
}

MelFrames MelSession::finish(size_t flush) {
  const int64_t samples = stream_.samples();
  const int64_t live = samples / preprocessor_.hop - LogMelStream::liveFrames(preprocessor_, samples);
  std::vector<float> data;
  stream_.finish(mutant("flush-removed") ? 0 : flush, data);
  return frames(std::move(data), live);
}

void MelSession::load(ArchiveReader& archive) {
  archive(stream_, detector_);
  ArchiveReader::require(stream_.valid());
}

MelFrames MelSession::frames(std::vector<float> data, int64_t live) {
  const int features = preprocessor_.features;
  const int rows = static_cast<int>(data.size()) / features;
  MelFrames frames{{std::move(data), rows, features}, {}, {}};
  appendLevels(frames.logMel.data.data(), rows, features, frames.levels);
  const auto heard = static_cast<size_t>(std::min<int64_t>(rows, live));
  for (size_t i = 0; i < heard; i++) {
    if (const auto change = detector_.add(frames.levels[i])) frames.changes.push_back(*change);
  }
  return frames;
}

}  // namespace parakeet
