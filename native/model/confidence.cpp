#include "model/confidence.h"

#include <algorithm>
#include <cmath>

namespace parakeet {
namespace {

constexpr double alpha = 1.0 / 3;

double unclamped(Measure measure, const ops::Spread& spread, double count) {
  // Σ p^α
  const auto powers = [&] { return spread.thirds / std::cbrt(spread.sum); };
  switch (measure) {
    case Measure::entropy:
      return 1 - (std::log(spread.sum) - spread.mean) / std::log(count);
    case Measure::maxProbability:
      return (count / spread.sum - 1) / (count - 1);
    case Measure::tsallis: {
      const double least = std::exp((1 - std::pow(count, 1 - alpha)) / (1 - alpha));
      return (std::exp((1 - powers()) / (1 - alpha)) - least) / (1 - least);
    }
    case Measure::renyi:
      return (std::pow(powers(), 1 / (alpha - 1)) * count - 1) / (count - 1);
    case Measure::margin:
      return (1 - std::exp(static_cast<double>(spread.second))) / spread.sum;
  }
  return 0;
}

}  // namespace

float confidenceOf(Measure measure, const ops::Spread& spread, int count) {
  return static_cast<float>(std::clamp(unclamped(measure, spread, count), 0.0, 1.0));
}

float confidenceOf(Measure measure, const float* logits, int count) {
  return confidenceOf(measure, ops::spreadOf(logits, count), count);
}

}  // namespace parakeet
