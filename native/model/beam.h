// What the beam searches share: their options, the texts of hypotheses, and logarithms of probabilities.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "model/boost.h"
#include "model/fusion.h"
#include "model/tokens.h"

namespace parakeet {

// `frame`: hypotheses compete at each frame. `parakeetMlx`: of TDT, parakeet-mlx's, across frames.
enum class BeamSearch { frame, parakeetMlx };

struct Beam {
  int size = 5;                // hypotheses that are kept
  double lengthPenalty = 1.0;  // the best has the largest score / tokens^lengthPenalty
  // parakeet-mlx's search: ends when size · patience hypotheses have reached the end
  double patience = 1.0;
  // parakeet-mlx's search: weight of the duration's log-probability in the score; the token's is the rest
  double durationReward = 0.7;
  BeamSearch search = BeamSearch::parakeetMlx;

  bool operator==(const Beam&) const = default;
};

// Frames that are searched at once: a beam ends with one hypothesis at the end of each piece, so more than the two
// minutes of a window.
constexpr int searchedFrames = 2048;

constexpr double impossible = -std::numeric_limits<double>::infinity();

// ln(e^a + e^b)
inline double logAdd(double a, double b) {
  const double most = std::max(a, b);
  return most == impossible ? impossible : most + std::log1p(std::exp(std::min(a, b) - most));
}

// ln Σ e^logit: the difference between a logit and its log-probability.
inline double logSum(const float* logits, int count) {
  const float most = *std::max_element(logits, logits + count);
  double sum = 0;
  for (int i = 0; i < count; i++) sum += std::exp(static_cast<double>(logits[i] - most));
  return most + std::log(sum);
}

// Score by which finished hypotheses are ranked.
inline double ranked(double score, int tokens, double lengthPenalty) {
  return score / std::pow(std::max(1, tokens), lengthPenalty);
}

// The tokens of all hypotheses as a tree in one vector: hypotheses share prefixes, and a long signal does not build a
// chain of objects that would be freed recursively.
class Histories {
 public:
  // The history `before` (-1: none) with one more token.
  int add(int before, const Token& token) {
    nodes_.push_back({before, token});
    return static_cast<int>(nodes_.size()) - 1;
  }
  // Appends the tokens of a history in their order.
  void copy(int history, Tokens& tokens) const {
    const size_t first = tokens.size();
    for (; history >= 0; history = nodes_[history].before) tokens.push_back(nodes_[history].token);
    std::reverse(tokens.begin() + static_cast<ptrdiff_t>(first), tokens.end());
  }

 private:
  struct Node {
    int before;
    Token token;
  };
  std::vector<Node> nodes_;
};

// Identifies a text without comparing its tokens.
struct TextKey {
  int count = 0;
  uint64_t hash = 14695981039346656037ull;

  TextKey with(int id) const {
    const uint64_t mixed = hash ^ (static_cast<uint64_t>(id) + 0x9e3779b97f4a7c15ull + (hash << 6) + (hash >> 2));
    return {count + 1, mixed * 1099511628211ull};
  }
};

struct Choice {
  int token;
  double score;      // log-probability plus what language models add
  double bonus = 0;  // of phrases
  double sum() const { return score + bonus; }
};

// The most likely entries of a distribution, best first; boosted phrases count with their bonus.
class TopChoices {
 public:
  // The distribution, and how many entries are wanted.
  void look(const float* logits, int count, int most) {
    logits_ = logits;
    most_ = std::min(most, count);
    sum_ = logSum(logits, count);
    count_ = count;
    order_.resize(count);
    std::iota(order_.begin(), order_.end(), 0);
    const auto cut = order_.begin() + most_;
    std::nth_element(order_.begin(), cut - 1, order_.end(), [&](int a, int b) { return logits[a] > logits[b]; });
    order_.erase(cut, order_.end());
  }
  double logProbability(int token) const { return logits_[token] - sum_; }

  const std::vector<Choice>& likeliest() { return likeliest({}, -1); }
  // As seen by a hypothesis at this place in its phrases and language models. The blank gets no bonus. `scale`: of the
  // score.
  const std::vector<Choice>& likeliest(const Boosting& boosting, int blank, const LmGain& lm = {}, double scale = 1) {
    choices_.clear();
    if (const double* gains = boosting.gains()) {
      chooseBoosted(gains, blank, scale);
    } else {
      for (const int token : order_) choices_.push_back({token, scale * logProbability(token)});
    }
    for (Choice& one : choices_) {
      if (one.token != blank) one.score += scale * lm(one.token);
    }
    std::sort(choices_.begin(), choices_.end(), [](const Choice& a, const Choice& b) {
      return a.sum() != b.sum() ? a.sum() > b.sum() : a.token < b.token;
    });
    return choices_;
  }

 private:
  // A phrase may make any token one of the likeliest.
  void chooseBoosted(const double* gains, int blank, double scale) {
    for (int token = 0; token < count_; token++)
      choices_.push_back({token, scale * logProbability(token), token == blank ? 0 : gains[token]});
    const auto cut = choices_.begin() + most_;
    std::nth_element(choices_.begin(), cut - 1, choices_.end(),
                     [](const Choice& a, const Choice& b) { return a.sum() > b.sum(); });
    choices_.erase(cut, choices_.end());
  }

  const float* logits_ = nullptr;
  int most_ = 0, count_ = 0;
  double sum_ = 0;
  std::vector<int> order_;
  std::vector<Choice> choices_;
};

}  // namespace parakeet
