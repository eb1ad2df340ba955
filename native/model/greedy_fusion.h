// Greedy decoding with a language model: where the acoustic model hears a token, the language model has a say in which;
// whether there is one stays the acoustic model's to decide (as NeMo's greedy decoding with NGPU-LM).
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "model/boost.h"
#include "model/fusion.h"

namespace parakeet {

// Tokens that are considered: less likely ones are never right.
constexpr int fusedChoices = 8;

// The best token with phrases and language models taken into account, given `token`, the best without the latter.
// `except` is not considered (-1: no such token).
inline int chooseFused(const float* logits, int token, int blank, const Boosting& boosting, const LmState& lm,
                       int except = -1) {
  if (!lm.active() || token == blank) return token;
  std::vector<int> order(blank);
  std::iota(order.begin(), order.end(), 0);
  const auto count = std::min<ptrdiff_t>(fusedChoices, blank);
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&](int a, int b) { return logits[a] > logits[b]; });
  order.resize(count);
  order.push_back(token);  // a phrase may have made it the best
  double most = -std::numeric_limits<double>::infinity();
  for (const int other : order) {
    if (other == except) continue;
    const double score = static_cast<double>(logits[other] + boosting.greedyGain(other)) + lm.gain(other, nullptr);
    if (score > most) {
      most = score;
      token = other;
    }
  }
  return token;
}

}  // namespace parakeet
