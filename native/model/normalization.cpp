#include "model/normalization.h"

#include <algorithm>
#include <cmath>

#include "model/log_mel.h"

namespace parakeet {

void RunningStatistics::add(const float* frame) {
  count_++;
  for (size_t f = 0; f < mean_.size(); f++) {
    const double delta = frame[f] - mean_[f];
    mean_[f] += delta / static_cast<double>(count_);
    squares_[f] += delta * (frame[f] - mean_[f]);
  }
}

void RunningStatistics::assume(const Statistics& prior, int frames) {
  count_ = frames;
  for (size_t f = 0; f < mean_.size(); f++) {
    mean_[f] = prior.mean[f];
    squares_[f] = static_cast<double>(prior.deviation[f]) * prior.deviation[f] * std::max(0, frames - 1);
  }
}

Statistics RunningStatistics::statistics() const {
  Statistics result;
  for (size_t f = 0; f < mean_.size(); f++) {
    result.mean.push_back(static_cast<float>(mean_[f]));
    const double variance = count_ > 1 ? squares_[f] / static_cast<double>(count_ - 1) : 0;
    result.deviation.push_back(static_cast<float>(std::sqrt(variance)));
  }
  return result;
}

bool silentFrame(const float* frame, int features) {
  const float limit = digitalSilence() + 1e-6f;
  return std::all_of(frame, frame + features, [limit](float value) { return value <= limit; });
}

void normalizeFrames(const float* logMel, int frames, const Statistics& statistics, std::vector<float>& out) {
  const size_t features = statistics.mean.size();
  out.reserve(out.size() + frames * features);
  for (int m = 0; m < frames; m++, logMel += features) {
    for (size_t f = 0; f < features; f++)
      out.push_back((logMel[f] - statistics.mean[f]) / (statistics.deviation[f] + 1e-5f));
  }
}

}  // namespace parakeet
