// Queries on a row of logits.
#pragma once

namespace parakeet::ops {

// The first of the largest values; 0 where there is none (NaN).
int argmax(const float* x, int count);

// Of the distribution softmax(x): H = −Σ p ln p, in nats.
double entropy(const float* x, int count);

}  // namespace parakeet::ops
