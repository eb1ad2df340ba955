#include "model/speech_level.h"

#include <algorithm>
#include <cmath>

#include "model/mel_filters.h"
#include "model/mutant.h"
#include "model/normalization.h"

namespace parakeet {

namespace {

// Below this, a value cannot be distinguished from zero in float32 next to the guard's logarithm.
constexpr float leastPower = 1e-12f;

float guard() {
  static const float value = std::exp(digitalSilence());
  return value;
}

float power(float logMel) { return std::max(0.0f, std::exp(logMel) - guard()); }

}  // namespace

float loudness(const float* frame, int features) {
  float sum = 0;
  for (int f = 0; f < features; f++) sum += std::log(power(frame[f]) + leastPower);
  return sum / static_cast<float>(features);
}

float levelOf(const float* frame, int features) {
  const bool silent = silentFrame(frame, features) && !mutant("silence-counted");
  return silent ? noSound : loudness(frame, features);
}

void appendLevels(const float* frames, int count, int features, std::vector<float>& levels) {
  levels.reserve(levels.size() + static_cast<size_t>(count));
  for (int i = 0; i < count; i++) levels.push_back(levelOf(frames + static_cast<size_t>(i) * features, features));
}

void amplify(const float* logMel, size_t values, float gain, std::vector<float>& out) {
  const float factor = std::exp(gain);
  const size_t held = out.size();
  out.resize(held + values);
  for (size_t i = 0; i < values; i++) out[held + i] = std::log(power(logMel[i]) * factor + guard());
}

}  // namespace parakeet
