#include "model/confidence.h"

#include <algorithm>
#include <cmath>

namespace parakeet {

float entropyConfidence(const float* logits, int count) {
  const float peak = *std::max_element(logits, logits + count);
  double sum = 0, weighted = 0;
  for (int i = 0; i < count; i++) {
    const double shifted = static_cast<double>(logits[i]) - peak;
    const double weight = std::exp(shifted);
    sum += weight;
    weighted += weight * shifted;
  }
  const double entropy = std::log(sum) - weighted / sum;
  return static_cast<float>(std::clamp(1.0 - entropy / std::log(static_cast<double>(count)), 0.0, 1.0));
}

}  // namespace parakeet
