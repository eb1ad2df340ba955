#include "engine/buffered_encoder.h"

#include <algorithm>
#include <utility>

#include "model/archive.h"
#include "model/emission.h"
#include "model/log_mel.h"
#include "model/mutant.h"
#include "model/speech_level.h"

namespace parakeet {

BufferedEncoder::BufferedEncoder(std::shared_ptr<const Encoder> encoder, const PreprocessorConfig& preprocessor,
                                 StreamOptions options)
    : StreamEncoder(std::move(encoder), preprocessor, std::move(options)), statistics_(features_) {
  // Only running statistics let the model sleep through leading silence: with fixed ones, a stream equals an offline
  // pass.
  const auto* running = std::get_if<RunningNormalization>(&options_.normalization);
  if (running) start_ = -1;
  if (running && running->frames > 0) statistics_.assume(running->prior, running->frames);
}

EncodedStep BufferedEncoder::commit(PlannedStep planned, std::optional<EncodedPiece> encoded) {
  EncodedStep& step = planned.step;
  if (encoded) {
    if (mutant("cache-kept")) {
      static auto* kept = new std::vector<StreamCachePtr>;
      kept->push_back(past_);
    }
    step.encoded = std::move(encoded->encoded);
    past_ = std::move(encoded->past);
  }
  step.decodedEnd = step.finalEnd;
  step.agreement = options_.agreement;
  committed_ = step.finalEnd;
  ended_ = step.last;
  const bool steps = encoded && !step.last && !step.cut;
  if (mutant("final-again") && steps && options_.chunk > 1) committed_--;
  if (step.cut) {
    flushing_ = -1;
    if (start_ >= 0) start_ = committed_;
    past_ = nullptr;
  }
  mel_.dropBefore(std::min(committed_ * factor_ - encoder().melBefore(), mel_.end() - options_.history));
  return std::move(step);
}

std::optional<PlannedStep> BufferedEncoder::gridStep() {
  const int64_t live = liveFrames();
  PlannedStep planned;
  EncodedStep& step = planned.step;
  step.firstFrame = committed_;
  const int64_t due = (live / factor_ - committed_ - options_.lookahead) / options_.chunk;
  step.grown = std::clamp<int64_t>(due, 1, options_.grow);
  step.finalEnd = committed_ + step.grown * options_.chunk;
  step.seenEnd = step.finalEnd + options_.lookahead;
  if (mutant("lookahead-short")) {
    // Commits one frame that has seen one frame of lookahead less.
    step.seenEnd -= options_.lookahead > 0 ? 1 : 0;
  }
  step.lastTokenStart = step.seenEnd;
  const int64_t seen = step.seenEnd * factor_;
  if (seen > live) return std::nullopt;
  minds(committed_ * factor_, seen);
  if (start_ > committed_) {
    // Silence must change nothing: the grid restarts where the sound begins.
    step.finalEnd = step.seenEnd = step.lastTokenStart = start_;
  } else {
    statistics_.add(std::exchange(heard_, {}));
  }
  step.firstRow = std::max(step.firstFrame, start_);
  if (start_ >= 0 && step.firstRow < step.seenEnd) planned.piece = piece(step, seen, false);
  return planned;
}

PlannedStep BufferedEncoder::flushStep() {
  minds(committed_ * factor_, flushing_);
  statistics_.add(std::exchange(heard_, {}));
  PlannedStep planned;
  EncodedStep& step = planned.step;
  step.cut = true;
  step.firstFrame = committed_;
  step.finalEnd = step.seenEnd = flushing_ / factor_;
  step.firstRow = std::max(step.firstFrame, start_);
  step.lastTokenStart = std::min(step.finalEnd - 1, lastTokenStart(lastSound_, factor_, options_.emissionDelay));
  if (start_ >= 0 && step.firstRow < step.finalEnd) planned.piece = piece(step, flushing_, true, flushSilence_);
  return planned;
}

PlannedStep BufferedEncoder::lastStep() {
  const int64_t real = std::min(mel_.end(), samples_ / preprocessor_.hop);
  minds(committed_ * factor_, real);
  statistics_.add(std::exchange(heard_, {}));
  PlannedStep planned;
  EncodedStep& step = planned.step;
  step.last = true;
  step.firstFrame = committed_;
  step.finalEnd = step.seenEnd = std::max(committed_, (mel_.end() + factor_ - 1) / factor_);
  step.firstRow = std::max(step.firstFrame, start_);
  const bool flushed = mel_.end() > real;
  step.lastTokenStart = !flushed ? step.finalEnd : lastTokenStart(lastSound_, factor_, options_.emissionDelay);
  if (start_ >= 0 && step.firstRow < step.finalEnd) planned.piece = piece(step, mel_.end(), true);
  return planned;
}

EncoderPiece BufferedEncoder::piece(const EncodedStep& step, int64_t seen, bool atEnd, int silence) const {
  const bool atStart = step.firstRow == start_ || mutant("chunk-padding");
  const int64_t from = step.firstRow * factor_ - (atStart ? 0 : encoder().melBefore());
  const int commit = static_cast<int>(std::max<int64_t>(0, step.finalEnd - step.firstRow));
  Matrix features{{}, static_cast<int>(seen - from) + silence, features_};
  normalize(mel_.frame(from), static_cast<int>(seen - from), features.data);
  if (silence > 0) {
    const std::vector<float> quiet(static_cast<size_t>(silence) * features_, digitalSilence());
    normalize(quiet.data(), silence, features.data);
  }
  return {std::move(features), atStart, atEnd, options_.context, {commit, options_.cache}, past_};
}

void BufferedEncoder::minds(int64_t from, int64_t until) {
  listen(until);
  sleepOrWake(from);
}

void BufferedEncoder::listen(int64_t until) {
  for (; listened_ < until; listened_++) {
    const float* frame = mel_.frame(listened_);
    const float level = mel_.level(listened_);
    const bool silent = level == noSound;
    // After silence the first frame with sound in it has only the edge of its window there: the signal begins with the
    // next.
    if (!silent && start_ < 0 && lastSound_ < 0) start_ = (listened_ > 0 ? listened_ + 1 : 0) / factor_;
    const bool counts = !silent && (start_ < 0 || listened_ >= start_ * factor_);
    detect(counts ? level : noSound);
    if (!silent) lastSound_ = listened_;
    if (counts) heard_.push_back({{frame, frame + features_}, level, detector_.aboveFloor()});
  }
}

Matrix BufferedEncoder::recall(int64_t from, int64_t until, int64_t& first) const {
  first = std::max(from, mel_.first());
  const int64_t end = std::min(until, mel_.end());
  Matrix features{{}, static_cast<int>(std::max<int64_t>(0, end - first)), features_};
  if (features.rows > 0) normalize(mel_.frame(first), features.rows, features.data);
  return features;
}

void BufferedEncoder::normalize(const float* frames, int count, std::vector<float>& out) const {
  const size_t values = static_cast<size_t>(count) * features_;
  if (std::holds_alternative<NoNormalization>(options_.normalization)) {
    out.insert(out.end(), frames, frames + values);
  } else if (const auto* fixed = std::get_if<Statistics>(&options_.normalization)) {
    normalizeFrames(frames, count, *fixed, out);
  } else if (!statistics_.ready()) {
    out.insert(out.end(), values, 0.0f);
  } else {
    statistics_.normalize(frames, count, out);
  }
}

bool BufferedEncoder::valid() const {
  return mel_.valid() && committed_ >= 0 && listened_ >= mel_.first() && listened_ <= mel_.end() &&
         start_ <= committed_ && mel_.first() <= committed_ * factor_ && committed_ * factor_ <= mel_.end() &&
         (start_ < 0 || committed_ == start_ ||
          mel_.first() <= std::max<int64_t>(0, committed_ * factor_ - encoder().melBefore())) &&
         statistics_.valid() &&
         std::all_of(
             heard_.begin(), heard_.end(),
             [this](const SoundFrame& frame) { return frame.logMel.size() == static_cast<size_t>(features_); }) &&
         flushSilence_ >= 0;
}

}  // namespace parakeet
