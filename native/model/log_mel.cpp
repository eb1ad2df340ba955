#include "model/log_mel.h"

#include <algorithm>

#include "model/mutant.h"
#include "ops/pool.h"
#include "ops/profile.h"

namespace parakeet {
namespace {

// In float32, as NeMo's preemphasis is. `before`: the sample before the first one; null at the signal's start.
void emphasise(const float* samples, size_t count, const float* before, float emphasis, float* out) {
  if (count == 0) return;
  out[0] = before ? samples[0] - emphasis * *before : samples[0];
  for (size_t i = 1; i < count; i++) out[i] = samples[i] - emphasis * samples[i - 1];
}

}  // namespace

LogMelStream::LogMelStream(std::shared_ptr<const MelFilters> filters) : filters_(std::move(filters)) {
  // The zeros before the start, which the first frames reach.
  const int reach = filters_->config.windowLength / 2;
  emphasised_.assign(reach, 0.0f);
  first_ = -reach;
}

int64_t LogMelStream::liveFrames(const PreprocessorConfig& config, int64_t samples) {
  const int64_t reach = config.windowLength - config.windowLength / 2;
  return samples < reach ? 0 : (samples - reach) / config.hop + 1;
}

bool LogMelStream::valid() const {
  const PreprocessorConfig& config = filters_->config;
  const int64_t next = frames_ * config.hop - config.windowLength / 2;
  return samples_ >= 0 && frames_ >= 0 && frames_ == liveFrames(config, samples_) && first_ <= next &&
         first_ + static_cast<int64_t>(emphasised_.size()) == samples_;
}

void LogMelStream::append(const float* samples, size_t count) {
  if (count == 0) return;
  const size_t held = emphasised_.size();
  emphasised_.resize(held + count);
  emphasise(samples, count, samples_ > 0 ? &previous_ : nullptr, static_cast<float>(filters_->config.preemphasis),
            emphasised_.data() + held);
  previous_ = samples[count - 1];
  samples_ += static_cast<int64_t>(count);
}

void LogMelStream::push(const float* samples, size_t count, std::vector<float>& out) {
  if (mutant("push-edge")) previous_ = 0;
  append(samples, count);
  emit(liveFrames(filters_->config, samples_), out);
}

void LogMelStream::finish(size_t flush, std::vector<float>& out) {
  append(std::vector<float>(flush).data(), flush);
  const int64_t total = samples_ / filters_->config.hop;
  emphasised_.resize(emphasised_.size() + filters_->config.windowLength, 0.0f);
  emit(total, out);
}

void LogMelStream::emit(int64_t until, std::vector<float>& out) {
  const PreprocessorConfig& config = filters_->config;
  const int reach = config.windowLength / 2;
  if (frames_ < until) {
    const auto count = static_cast<size_t>(until - frames_), held = out.size();
    out.resize(held + count * config.features);
    filters_->frames(emphasised_.data() + (frames_ * config.hop - reach - first_), static_cast<int>(count),
                     out.data() + held);
    frames_ = until;
  }
  // Keep what the next frame reaches back to; erase in large pieces only.
  const int64_t keep = frames_ * config.hop - reach;
  const int64_t drop = std::min<int64_t>(keep - first_, static_cast<int64_t>(emphasised_.size()));
  if (drop > 4096) {
    emphasised_.erase(emphasised_.begin(), emphasised_.begin() + drop);
    first_ += drop;
  }
}

Matrix wholeLogMel(const std::shared_ptr<const MelFilters>& filters, const float* samples, size_t count, size_t flush,
                   const CancelFlag& cancel) {
  // Enough frames to make waking another thread worthwhile, and a multiple of the frames that are computed together.
  constexpr int64_t pieceFrames = 192;
  const PreprocessorConfig& config = filters->config;
  const auto length = static_cast<int64_t>(count), end = length + static_cast<int64_t>(flush);
  const int64_t total = end / config.hop, reach = config.windowLength / 2;
  std::vector<float> all(static_cast<size_t>(total * config.features));
  const ops::PartScope part(ops::Part::mel);
  const ops::PartTimer timer(ops::Part::mel);
  const auto pieces = static_cast<int>((total + pieceFrames - 1) / pieceFrames);
  ops::parallelFor(pieces, 1, [&](int begin, int until) {
    std::vector<float> own, emphasised;
    for (int64_t piece = begin; piece < until; piece++) {
      cancel.check();
      const int64_t first = piece * pieceFrames, last = std::min(total, first + pieceFrames);
      // The samples that its frames see, and the one before: the flush is silence, and there is nothing beyond it.
      const int64_t from = first * config.hop - reach, to = (last - 1) * config.hop - reach + config.windowLength;
      const int64_t start = std::max<int64_t>(0, from), stop = std::min(end, to), known = std::min(length, stop);
      own.assign(static_cast<size_t>(std::max<int64_t>(0, stop - start)), 0.0f);
      if (known > start) std::copy(samples + start, samples + known, own.begin());
      const float before = start == 0 || start > length ? 0.0f : samples[start - 1];
      emphasised.assign(static_cast<size_t>(to - from), 0.0f);
      emphasise(own.data(), own.size(), start == 0 ? nullptr : &before, static_cast<float>(config.preemphasis),
                emphasised.data() + (start - from));
      filters->frames(emphasised.data(), static_cast<int>(last - first), all.data() + first * config.features);
    }
  });
  return {std::move(all), static_cast<int>(total), config.features};
}

}  // namespace parakeet
