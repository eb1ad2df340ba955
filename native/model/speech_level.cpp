#include "model/speech_level.h"

#include <cmath>

#include "model/mel_filters.h"
#include "model/mutant.h"
#include "model/normalization.h"
#include "ops/doubles.h"

namespace parakeet {
namespace {

using namespace ops;  // what PARAKEET_VERSIONS names

// Below this, a value cannot be distinguished from zero in float32 next to the guard's logarithm.
constexpr float leastPower = 1e-12f;

// out[i] = ln(power · factor + added), the power being e^logMel without the log guard; `added` < 0 stands for the
// guard.
template <class V>
PARAKEET_INLINE void relevelBody(const float* logMel, int values, float factor, float added, float* out) {
  using D = DoubleVector<V::lanes / 2>;
  const typename V::Floats zero{};
  // By the same exponential, so that digital silence has no power at all.
  const typename V::Floats guard = V::exponential(V::broadcast(digitalSilence()));
  const typename V::Floats more = added < 0 ? guard : V::broadcast(added);
  pieces<V>(values, [&](int at, int count) PARAKEET_LAMBDA {
    const typename V::Floats power = V::largest(zero, V::exponential(V::load(logMel + at, count)) - guard);
    float sums[V::lanes], logs[V::lanes];
    V::store(sums, power * factor + more);
    for (int half = 0; half < V::lanes; half += D::lanes) {
      typename D::Floats x;
      std::memcpy(&x, sums + half, sizeof x);
      D::storeNarrow(logs + half, D::logarithm(D::widen(x)));
    }
    V::store(out + at, V::load(logs), count);
  });
}
PARAKEET_VERSIONS(relevel, (const float* logMel, int values, float factor, float added, float* out),
                  (logMel, values, factor, added, out))

}  // namespace

float loudness(const float* frame, int features) {
  thread_local std::vector<float> logs;
  logs.resize(static_cast<size_t>(features));
  relevel(frame, features, 1, leastPower, logs.data());
  float sum = 0;
  for (const float one : logs) sum += one;
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
  const size_t held = out.size();
  out.resize(held + values);
  relevel(logMel, static_cast<int>(values), std::exp(gain), -1, out.data() + held);
}

}  // namespace parakeet
