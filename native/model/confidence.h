// Entropy confidence of a distribution over tokens (Laptev and Ginsburg 2022, "Fast entropy-based methods of word-level
// confidence estimation", exponential-free form).
#pragma once

namespace parakeet {

// 1 − H(softmax(logits)) / ln(count), in [0, 1].
float entropyConfidence(const float* logits, int count);

}  // namespace parakeet
