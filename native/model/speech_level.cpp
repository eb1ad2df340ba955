#include "model/speech_level.h"

#include <algorithm>
#include <cmath>

#include "model/mel_filters.h"

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

void amplify(const float* logMel, size_t values, float gain, std::vector<float>& out) {
  const float factor = std::exp(gain);
  const size_t held = out.size();
  out.resize(held + values);
  for (size_t i = 0; i < values; i++) out[held + i] = std::log(power(logMel[i]) * factor + guard());
}

}  // namespace parakeet
