#include "engine/cache_aware_encoder.h"

#include <algorithm>
#include <utility>

#include "model/archive.h"
#include "model/emission.h"
#include "model/log_mel.h"
#include "model/speech_level.h"

namespace parakeet {

CacheAwareEncoder::CacheAwareEncoder(std::shared_ptr<const Encoder> encoder, const PreprocessorConfig& preprocessor,
                                     StreamOptions options)
    : StreamEncoder(std::move(encoder), preprocessor, std::move(options)), context_(options_.context) {}

std::optional<PlannedStep> CacheAwareEncoder::gridStep() {
  const int64_t due = (framesBefore(liveFrames(), false) - committed_) / options_.chunk;
  if (due < 1) return std::nullopt;
  PlannedStep planned;
  EncodedStep& step = planned.step;
  step.grown = std::min<int64_t>(due, options_.grow);
  step.firstFrame = committed_;
  step.finalEnd = committed_ + step.grown * options_.chunk;
  const int64_t seen = melOf(step.finalEnd - 1) + 1;
  listen(melOf(committed_), seen);
  // The grid begins again where speech does.
  if (start_ > committed_) step.finalEnd = std::min(step.finalEnd, start_);
  step.seenEnd = step.lastTokenStart = step.decodedEnd = step.finalEnd;
  step.firstRow = std::max(step.firstFrame, start_);
  if (start_ >= 0 && step.firstRow < step.finalEnd) planned.piece = piece(step, step.finalEnd, seen, false, 0);
  return planned;
}

PlannedStep CacheAwareEncoder::flushStep() {
  listen(melOf(committed_), flushing_);
  PlannedStep planned;
  EncodedStep& step = planned.step;
  step.cut = true;
  step.firstFrame = committed_;
  step.finalEnd = step.seenEnd = std::max(committed_, (flushing_ + factor_ - 1) / factor_);
  step.firstRow = std::max(step.firstFrame, start_);
  // The silence belongs to no frame of the stream, but the last words may come in it.
  const int64_t end = framesBefore(flushing_ + flushSilence_, true);
  step.decodedEnd = std::max(step.finalEnd, end);
  step.lastTokenStart = lastTokenStart(lastSound_, factor_, options_.emissionDelay);
  if (start_ >= 0 && step.firstRow < end) planned.piece = piece(step, end, flushing_, true, flushSilence_);
  return planned;
}

PlannedStep CacheAwareEncoder::lastStep() {
  const int64_t real = std::min(mel_.end(), samples_ / preprocessor_.hop);
  listen(melOf(committed_), real);
  PlannedStep planned;
  EncodedStep& step = planned.step;
  step.last = true;
  step.firstFrame = committed_;
  const int64_t end = framesBefore(mel_.end(), true);
  step.finalEnd = step.seenEnd = step.decodedEnd = std::max(committed_, end);
  step.firstRow = std::max(step.firstFrame, start_);
  const bool flushed = mel_.end() > real;
  step.lastTokenStart = !flushed ? step.finalEnd : lastTokenStart(lastSound_, factor_, options_.emissionDelay);
  if (start_ >= 0 && step.firstRow < end) planned.piece = piece(step, end, mel_.end(), true, 0);
  return planned;
}

EncoderPiece CacheAwareEncoder::piece(const EncodedStep& step, int64_t end, int64_t seen, bool ended,
                                      int silence) const {
  // Close to the signal's start, a frame sees the padding before it.
  const int64_t wanted = melOf(step.firstRow) - encoder().melBefore();
  const bool atStart = wanted < startMel_;
  const int64_t from = std::max(startMel_, wanted);
  const auto own = static_cast<int>(seen - from);
  Matrix features{{}, own + silence, features_};
  features.data.reserve(static_cast<size_t>(features.rows) * features_);
  features.data.assign(mel_.frame(from), mel_.frame(from) + static_cast<size_t>(own) * features_);
  features.data.resize(static_cast<size_t>(features.rows) * features_, digitalSilence());
  const auto commit = static_cast<int>(end - step.firstRow);
  return {std::move(features),
          atStart,
          ended,
          context_,
          {commit, options_.cache},
          past_,
          atStart ? static_cast<int>(step.firstRow - start_) : 0};
}

EncodedStep CacheAwareEncoder::commit(PlannedStep planned, std::optional<EncodedPiece> encoded) {
  EncodedStep& step = planned.step;
  if (encoded) {
    step.encoded = std::move(encoded->encoded);
    past_ = std::move(encoded->past);
  }
  committed_ = step.finalEnd;
  ended_ = step.last;
  if (step.cut) {
    // The next signal begins with the first mel frame after the flush, which need not be a frame's first.
    if (start_ >= 0) {
      start_ = committed_;
      startMel_ = flushing_;
    }
    flushing_ = -1;
    past_ = nullptr;
  }
  mel_.dropBefore(std::min(melOf(committed_) - encoder().melBefore(), mel_.end() - options_.history));
  return std::move(step);
}

void CacheAwareEncoder::listen(int64_t from, int64_t until) {
  for (; listened_ < until; listened_++) {
    const float level = mel_.level(listened_);
    if (level != noSound) lastSound_ = listened_;
    detect(level);
  }
  if (sleepOrWake(from)) startMel_ = std::max<int64_t>(0, start_) * factor_;
}

Matrix CacheAwareEncoder::recall(int64_t from, int64_t until, int64_t& first) const {
  first = std::max(from, mel_.first());
  const int64_t end = std::min(until, mel_.end());
  Matrix features{{}, static_cast<int>(std::max<int64_t>(0, end - first)), features_};
  if (features.rows > 0)
    features.data.assign(mel_.frame(first), mel_.frame(first) + static_cast<size_t>(features.rows) * features_);
  return features;
}

bool CacheAwareEncoder::valid() const {
  return context_ == options_.context && mel_.valid() && committed_ >= 0 && start_ >= -1 && start_ <= committed_ &&
         startMel_ >= 0 && startMel_ <= start_ * factor_ + (start_ < 0 ? factor_ : 0) &&
         mel_.first() <= std::max(startMel_, melOf(committed_) - encoder().melBefore()) && listened_ >= mel_.first() &&
         listened_ <= mel_.end() && flushSilence_ >= 0;
}

}  // namespace parakeet
