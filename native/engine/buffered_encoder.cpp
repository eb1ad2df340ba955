#include "engine/buffered_encoder.h"

#include <algorithm>

#include "model/emission.h"
#include "model/log_mel.h"
#include "model/mutant.h"

namespace parakeet {

BufferedEncoder::BufferedEncoder(std::shared_ptr<const Encoder> encoder, const PreprocessorConfig& preprocessor,
                                 StreamOptions options)
    : encoder_(std::move(encoder)),
      preprocessor_(preprocessor),
      options_(std::move(options)),
      features_(encoder_->config().features),
      factor_(encoder_->config().subsamplingFactor),
      statistics_(features_),
      caches_(encoder_->config().layers) {
  // Only running statistics let the model sleep through leading silence: with fixed ones, a stream equals an offline
  // pass.
  if (!std::holds_alternative<RunningNormalization>(options_.normalization)) start_ = 0;
}

void BufferedEncoder::push(const float* logMel, int frames) {
  mel_.insert(mel_.end(), logMel, logMel + static_cast<size_t>(frames) * features_);
  melFrames_ += frames;
}

void BufferedEncoder::finish(int64_t samples) { samples_ = samples; }

std::optional<PlannedStep> BufferedEncoder::plan() {
  if (ended_) return std::nullopt;
  if (auto planned = gridStep()) return planned;
  if (samples_ < 0) return std::nullopt;
  return lastStep();
}

EncodedStep BufferedEncoder::commit(PlannedStep planned, std::optional<EncodedPiece> encoded) {
  EncodedStep& step = planned.step;
  if (encoded) {
    if (mutant("cache-kept")) {
      static auto* kept = new std::vector<std::vector<LayerCache>>;
      kept->push_back(caches_);
    }
    step.encoded = std::move(encoded->encoded);
    caches_ = std::move(encoded->caches);
  }
  committed_ = step.finalEnd;
  ended_ = step.last;
  if (mutant("final-again") && !step.last && options_.chunk > 1) committed_--;
  dropMelBefore(committed_ * factor_ - encoder_->subsampling().leftReach());
  return std::move(step);
}

std::optional<PlannedStep> BufferedEncoder::gridStep() {
  // Frames that reach beyond the end of the signal, and the flush, do not make a step due.
  const int64_t live =
      samples_ < 0 ? melFrames_ : std::min(melFrames_, LogMelStream::liveFrames(preprocessor_, samples_));
  PlannedStep planned;
  EncodedStep& step = planned.step;
  step.firstFrame = committed_;
  step.finalEnd = committed_ + options_.chunk;
  step.seenEnd = step.finalEnd + options_.lookahead;
  if (mutant("lookahead-short")) {
    // Commits one frame that has seen one frame of lookahead less.
    step.seenEnd -= options_.lookahead > 0 ? 1 : 0;
  }
  step.lastTokenStart = step.seenEnd;
  const int64_t seen = step.seenEnd * factor_;
  if (seen > live) return std::nullopt;
  listen(seen);
  if (start_ > committed_) {
    // Leading silence must change nothing: the grid begins anew where the sound does.
    step.finalEnd = step.seenEnd = step.lastTokenStart = start_;
  }
  step.firstRow = std::max(step.firstFrame, start_);
  if (start_ >= 0 && step.firstRow < step.seenEnd) planned.piece = piece(step, seen, false);
  return planned;
}

PlannedStep BufferedEncoder::lastStep() {
  const int64_t real = std::min(melFrames_, samples_ / preprocessor_.hop);
  listen(real);
  PlannedStep planned;
  EncodedStep& step = planned.step;
  step.last = true;
  step.firstFrame = committed_;
  step.finalEnd = step.seenEnd = std::max(committed_, (melFrames_ + factor_ - 1) / factor_);
  step.firstRow = std::max(step.firstFrame, start_);
  const bool flushed = melFrames_ > real;
  step.lastTokenStart = !flushed ? step.finalEnd : lastTokenStart(lastSound_, factor_, options_.emissionDelay);
  if (start_ >= 0 && step.firstRow < step.finalEnd) planned.piece = piece(step, melFrames_, true);
  return planned;
}

EncoderPiece BufferedEncoder::piece(const EncodedStep& step, int64_t seen, bool atEnd) const {
  const bool atStart = step.firstRow == start_ || mutant("chunk-padding");
  const int64_t from = step.firstRow * factor_ - (atStart ? 0 : encoder_->subsampling().leftReach());
  const int commit = static_cast<int>(std::max<int64_t>(0, step.finalEnd - step.firstRow));
  return {normalized(from, seen), atStart, atEnd, options_.context, {commit, options_.cache}, caches_};
}

void BufferedEncoder::listen(int64_t until) {
  for (; listened_ < until; listened_++) {
    const float* frame = melFrame(listened_);
    if (silentFrame(frame, features_)) {
      if (mutant("silence-counted")) statistics_.add(frame);
      continue;
    }
    lastSound_ = listened_;
    // After silence the first frame with sound in it has only the edge of its window there: the signal begins with the
    // next.
    if (start_ < 0) start_ = (listened_ > 0 ? listened_ + 1 : 0) / factor_;
    if (listened_ >= start_ * factor_) statistics_.add(frame);
  }
}

Matrix BufferedEncoder::normalized(int64_t from, int64_t until) const {
  const int frames = static_cast<int>(until - from);
  Matrix features{{}, frames, features_};
  if (std::holds_alternative<NoNormalization>(options_.normalization)) {
    features.data.assign(melFrame(from), melFrame(from) + static_cast<size_t>(frames) * features_);
  } else if (const auto* fixed = std::get_if<Statistics>(&options_.normalization)) {
    normalizeFrames(melFrame(from), frames, *fixed, features.data);
  } else if (statistics_.count() < 2) {
    features.data.assign(static_cast<size_t>(frames) * features_, 0.0f);
  } else {
    normalizeFrames(melFrame(from), frames, statistics_.statistics(), features.data);
  }
  return features;
}

const float* BufferedEncoder::melFrame(int64_t index) const {
  return mel_.data() + static_cast<size_t>(index - firstMel_) * features_;
}

void BufferedEncoder::dropMelBefore(int64_t index) {
  if (index <= firstMel_) return;
  mel_.erase(mel_.begin(), mel_.begin() + static_cast<int64_t>((index - firstMel_) * features_));
  firstMel_ = index;
}

}  // namespace parakeet
