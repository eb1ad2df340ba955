// How sure the model is of a token, by the distribution over tokens that it was chosen from. The entropies of Tsallis
// and Rényi (Laptev and Ginsburg 2022, "Fast entropy-based methods of word-level confidence estimation") have α = 1/3
// and NeMo's exponential normalisation.
#pragma once

#include "ops/logits.h"

namespace parakeet {

enum class Measure { entropy, maxProbability, tsallis, renyi, margin };

// In [0, 1], of a distribution over `count` tokens; 0 where all are equally likely, 1 where one is certain.
float confidenceOf(Measure measure, const ops::Spread& spread, int count);
float confidenceOf(Measure measure, const float* logits, int count);

}  // namespace parakeet
