#include "model/confidence.h"

#include <algorithm>
#include <cmath>

#include "ops/logits.h"

namespace parakeet {

float entropyConfidence(const float* logits, int count) {
  const double most = std::log(static_cast<double>(count));
  return static_cast<float>(std::clamp(1.0 - ops::entropy(logits, count) / most, 0.0, 1.0));
}

}  // namespace parakeet
