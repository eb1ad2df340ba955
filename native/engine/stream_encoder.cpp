#include "engine/stream_encoder.h"

#include <algorithm>
#include <utility>

#include "model/archive.h"
#include "model/log_mel.h"

namespace parakeet {

StreamEncoder::StreamEncoder(std::shared_ptr<const Encoder> encoder, const PreprocessorConfig& preprocessor,
                             StreamOptions options)
    : EncoderSession(std::move(encoder)),
      preprocessor_(preprocessor),
      options_(std::move(options)),
      features_(this->encoder().config().features),
      factor_(this->encoder().config().subsamplingFactor),
      mel_(features_),
      detector_(options_.hangover) {}

void StreamEncoder::flush(int silence) {
  flushing_ = mel_.end();
  flushSilence_ = silence;
}

StreamPosition StreamEncoder::position() const {
  return {mel_.end(), committed_, flushes() || (samples_ >= 0 && !ended_)};
}

std::optional<PlannedStep> StreamEncoder::plan() {
  if (ended_) return std::nullopt;
  if (!flushes()) flushing_ = -1;
  if (auto planned = gridStep()) return planned;
  if (flushing_ >= 0) return flushStep();
  if (samples_ < 0) return std::nullopt;
  return lastStep();
}

int64_t StreamEncoder::liveFrames() const {
  int64_t live = mel_.end();
  if (samples_ >= 0) live = std::min(live, LogMelStream::liveFrames(preprocessor_, samples_));
  return flushing_ >= 0 ? std::min(live, flushing_) : live;
}

void StreamEncoder::detect(float level) {
  const auto change = detector_.add(level);
  if (change && change->speech && start_ < 0 && wakeFrom_ < 0) wakeFrom_ = change->frame;
}

bool StreamEncoder::sleepOrWake(int64_t from) {
  if (!options_.gate) return false;
  if (start_ >= 0) {
    // Everything that is not final yet is quiet, and so was the audio before it, for as long as the hangover.
    const int64_t quiet = detector_.quietFrom();
    if (quiet < 0 || quiet > from) return false;
    start_ = -1;
    past_ = nullptr;
  } else if (wakeFrom_ >= 0) {
    // The onset of a word is quieter than the word.
    constexpr int64_t onset = 30;
    start_ = std::max(committed_, (wakeFrom_ - onset) / factor_);
  } else {
    return false;
  }
  wakeFrom_ = -1;
  return true;
}

void StreamEncoder::write(ArchiveWriter& archive) {
  archiveFields(archive);
  std::vector<LayerCache> layers = encoder().layersOf(past_);
  archive(layers);
}

void StreamEncoder::read(ArchiveReader& archive) {
  archiveFields(archive);
  std::vector<LayerCache> layers;
  archive(layers);
  ArchiveReader::require(valid() && fits(layers, options_.cache));
  past_ = encoder().cacheOf(layers);
}

}  // namespace parakeet
