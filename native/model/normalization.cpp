#include "model/normalization.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/log_mel.h"
#include "model/mutant.h"
#include "model/speech_level.h"

namespace parakeet {

void RunningStatistics::add(const float* frame) {
  count_++;
  const double share = 1.0 / static_cast<double>(count_);
  double* mean = mean_.data();
  double* squares = squares_.data();
  for (size_t f = 0; f < mean_.size(); f++) {
    const double delta = frame[f] - mean[f];
    mean[f] += delta * share;
    squares[f] += delta * (frame[f] - mean[f]);
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
  const size_t features = statistics.mean.size(), held = out.size();
  const float* mean = statistics.mean.data();
  std::vector<float> divisor = statistics.deviation;
  for (float& value : divisor) value += 1e-5f;
  out.resize(held + frames * features);
  float* to = out.data() + held;
  for (int m = 0; m < frames; m++, logMel += features, to += features) {
    for (size_t f = 0; f < features; f++) to[f] = (logMel[f] - mean[f]) / divisor[f];
  }
}

void bringToLevel(std::vector<float>& logMel, int frames, int more, int features, int most) {
  // That of the louder half of ordinary recordings, chosen by word error rate.
  constexpr double usualLoudness = -9.3;
  std::vector<double> sums{0};  // of the loudness of the first frames that are not digital silence
  std::vector<int> sounding;
  const auto row = [&](int m) { return logMel.data() + static_cast<size_t>(m) * features; };
  for (int m = 0; m < frames; m++) {
    if (silentFrame(row(m), features)) continue;
    sounding.push_back(m);
    sums.push_back(sums.back() + loudness(row(m), features));
  }
  const int count = static_cast<int>(sounding.size()), window = std::min(most, count);
  if (count == 0) return;
  std::vector<float> levelled;
  int begin = 0, next = 0;  // `next`: index in `sounding` of the first one not before the row
  for (int m = 0; m < frames + more; m++) {
    while (next < count && sounding[next] < m) next++;
    begin = std::clamp(next - window / 2, 0, count - window);
    const double around = (sums[begin + window] - sums[begin]) / window;
    if (around >= usualLoudness) continue;
    levelled.clear();
    amplify(row(m), features, static_cast<float>(usualLoudness - around), levelled);
    std::copy(levelled.begin(), levelled.end(), row(m));
  }
}

void normalizeAround(const float* logMel, int frames, int more, int features, int most, std::vector<float>& out) {
  const auto row = [&](int m) { return logMel + static_cast<size_t>(m) * features; };
  std::vector<int> sounding;
  for (int m = 0; m < frames; m++) {
    if (!silentFrame(row(m), features)) sounding.push_back(m);
  }
  const int count = static_cast<int>(sounding.size());
  out.reserve(out.size() + static_cast<size_t>(frames + more) * features);
  if (count <= most) {
    if (count == 0) {
      sounding.resize(frames);
      std::iota(sounding.begin(), sounding.end(), 0);
    }
    RunningStatistics all(features);
    for (const int m : sounding) all.add(row(m));
    normalizeFrames(logMel, frames + more, all.statistics(), out);
    return;
  }
  // Sums of the frames sounding[begin, begin + most), less their features' first values so that they stay small.
  std::vector<double> sums(features), squares(features);
  const float* origin = row(sounding[0]);
  const auto add = [&](int index, double sign) {
    const float* frame = row(sounding[index]);
    for (int f = 0; f < features; f++) {
      const double value = static_cast<double>(frame[f]) - origin[f];
      sums[f] += sign * value;
      squares[f] += sign * value * value;
    }
  };
  for (int i = 0; i < most; i++) add(i, 1);
  int begin = 0, next = 0;  // `next`: index in `sounding` of the first one not before the row
  Statistics around{std::vector<float>(features), std::vector<float>(features)};
  bool changed = true;
  for (int m = 0; m < frames + more; m++) {
    while (next < count && sounding[next] < m) next++;
    for (; begin + most < count && begin + most / 2 < next && !mutant("normalized-by-first"); begin++, changed = true) {
      add(begin, -1);
      add(begin + most, 1);
    }
    for (int f = 0; changed && f < features; f++) {
      const double mean = sums[f] / most;
      const double variance = std::max(0.0, squares[f] - sums[f] * mean) / (most - 1);
      around.mean[f] = static_cast<float>(mean + origin[f]);
      around.deviation[f] = static_cast<float>(std::sqrt(variance));
    }
    changed = false;
    normalizeFrames(row(m), 1, around, out);
  }
}

}  // namespace parakeet
