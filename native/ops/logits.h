// Queries on a row of logits.
#pragma once

namespace parakeet::ops {

// The first of the largest values; 0 where there is none (NaN).
int argmax(const float* x, int count);

// How the distribution softmax(x) spreads, with y = x − max x: p = eʸ / sum.
struct Spread {
  double sum = 1;     // Σ eʸ, at least 1
  double mean = 0;    // Σ p y, so that the entropy in nats is ln sum − mean
  double thirds = 1;  // Σ e^(y/3), so that Σ p^(1/3) = thirds / sum^(1/3)
  float second = 0;   // the second largest y; −∞ where there is one value only
};
Spread spreadOf(const float* x, int count);

}  // namespace parakeet::ops
