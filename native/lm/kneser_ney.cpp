#include "lm/kneser_ney.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace parakeet::lm {
namespace {

constexpr uint32_t none = Context::none;

// Grams of one length with their counts.
struct CountedLevel {
  std::vector<uint32_t> token, parent;
  std::vector<uint32_t> first;   // of its continuations in the next level, and one entry more
  std::vector<uint32_t> suffix;  // the gram of the level before without its first token
  std::vector<uint64_t> count;   // in the text
  std::vector<uint64_t> kept;    // count that the estimate uses: of different tokens before it, but for the longest
  std::vector<float> value;      // p(token | tokens before it)
  std::vector<float> weight;     // of shorter contexts after it

  size_t size() const { return token.size(); }
};
using Levels = std::vector<CountedLevel>;

// The grams of all lengths: the beginnings of the windows.
Levels gramsOf(const std::vector<WindowCount>& windows, int order, uint32_t vocabulary) {
  Levels levels(order);
  for (uint32_t token = 0; token <= vocabulary; token++) {
    levels[0].token.push_back(token);
    levels[0].parent.push_back(0);
  }
  levels[0].count.assign(vocabulary + 1, 0);
  std::array<int64_t, mostOrder> before;
  before.fill(-1);
  for (const auto& [window, count] : windows) {
    bool same = true;
    uint32_t parent = 0;
    for (int n = 0; n < order; n++) {
      const int64_t token = window.at(n);
      if (token < 0) {
        // A longer window is another gram even if it goes on as the last one did.
        std::fill(before.begin() + n, before.end(), -1);
        break;
      }
      CountedLevel& level = levels[n];
      same = same && token == before[n];
      if (n == 0) {
        parent = static_cast<uint32_t>(token);
      } else {
        if (!same) {
          level.token.push_back(static_cast<uint32_t>(token));
          level.parent.push_back(parent);
          level.count.push_back(0);
        }
        parent = static_cast<uint32_t>(level.size() - 1);
      }
      level.count[parent] += count;
      before[n] = token;
    }
  }
  for (int n = 0; n + 1 < order; n++) {
    levels[n].first.assign(levels[n].size() + 1, 0);
    for (const uint32_t parent : levels[n + 1].parent) levels[n].first[parent + 1]++;
    for (size_t i = 0; i < levels[n].size(); i++) levels[n].first[i + 1] += levels[n].first[i];
  }
  return levels;
}

// The continuation of a gram by a token; there is one.
uint32_t continuation(const CountedLevel& level, const CountedLevel& longer, uint32_t gram, uint32_t token) {
  const auto begin = longer.token.begin();
  const auto found = std::lower_bound(begin + level.first[gram], begin + level.first[gram + 1], token);
  return static_cast<uint32_t>(found - begin);
}

void linkSuffixes(Levels& levels) {
  for (size_t n = 1; n < levels.size(); n++) {
    CountedLevel& level = levels[n];
    level.suffix.resize(level.size());
    for (size_t i = 0; i < level.size(); i++)
      level.suffix[i] =
          n == 1 ? level.token[i]
                 : continuation(levels[n - 2], levels[n - 1], levels[n - 1].suffix[level.parent[i]], level.token[i]);
  }
}

void countContinuations(Levels& levels) {
  levels.back().kept = levels.back().count;
  for (size_t n = 0; n + 1 < levels.size(); n++) {
    levels[n].kept.assign(levels[n].size(), 0);
    for (const uint32_t suffix : levels[n + 1].suffix) levels[n].kept[suffix]++;
    // Only at the beginning of a text: nothing is before it.
    for (size_t i = 0; i < levels[n].size(); i++)
      if (levels[n].kept[i] == 0 && levels[n].count[i] > 0) levels[n].kept[i] = 1;
  }
}

// How much is taken off counts of 1, 2, and 3 or more.
std::array<double, 4> discountsOf(const CountedLevel& level) {
  std::array<double, 5> with{};
  for (const uint64_t count : level.kept)
    if (count >= 1 && count <= 4) with[count]++;
  std::array<double, 4> discounts{0, 0.5, 1, 1.5};  // for texts too small to tell
  if (with[1] == 0 || with[2] == 0 || with[3] == 0) return discounts;
  const double y = with[1] / (with[1] + 2 * with[2]);
  for (int k = 1; k <= 3; k++) {
    const double own = k - (k + 1) * y * with[k + 1] / with[k];
    if (own > 0 && own < k) discounts[k] = own;
  }
  return discounts;
}

void estimateLevels(Levels& levels, uint32_t vocabulary) {
  for (size_t n = 0; n < levels.size(); n++) {
    CountedLevel& level = levels[n];
    const std::array<double, 4> discounts = discountsOf(level);
    level.value.resize(level.size());
    level.weight.assign(level.size(), 1.0f);
    const auto share = [&](size_t begin, size_t end, auto shorter) {
      double total = 0, taken = 0;
      for (size_t i = begin; i < end; i++) {
        total += static_cast<double>(level.kept[i]);
        taken += discounts[std::min<uint64_t>(level.kept[i], 3)];
      }
      const double weight = total > 0 ? taken / total : 1;
      for (size_t i = begin; i < end; i++) {
        const auto count = static_cast<double>(level.kept[i]);
        const double own = total > 0 ? (count - discounts[std::min<uint64_t>(level.kept[i], 3)]) / total : 0;
        level.value[i] = static_cast<float>(own + weight * shorter(i));
      }
      return static_cast<float>(weight);
    };
    if (n == 0) {
      // The last entry is <s>, which never follows.
      share(0, vocabulary, [&](size_t) { return 1.0 / vocabulary; });
      level.value[vocabulary] = 1e-10f;
      continue;
    }
    CountedLevel& shorter = levels[n - 1];
    for (size_t i = 0; i < shorter.size(); i++) {
      if (shorter.first[i] < shorter.first[i + 1])
        shorter.weight[i] = share(shorter.first[i], shorter.first[i + 1],
                                  [&](size_t k) -> double { return shorter.value[level.suffix[k]]; });
    }
  }
}

// For each gram, the loss of likelihood that prevents it from being pruned: its own, or the largest of those that
// continue it.
std::vector<std::vector<float>> losses(const Levels& levels) {
  std::vector<std::vector<float>> loss(levels.size());
  for (size_t n = levels.size() - 1; n >= 1; n--) {
    const CountedLevel& level = levels[n];
    loss[n].resize(level.size());
    for (size_t i = 0; i < level.size(); i++) {
      const double shorter =
          static_cast<double>(levels[n - 1].weight[level.parent[i]]) * levels[n - 1].value[level.suffix[i]];
      loss[n][i] = static_cast<float>(static_cast<double>(level.count[i]) * std::log(level.value[i] / shorter));
      if (n + 1 == levels.size()) continue;
      for (uint32_t k = level.first[i]; k < level.first[i + 1]; k++) loss[n][i] = std::max(loss[n][i], loss[n + 1][k]);
    }
  }
  return loss;
}

std::vector<uint64_t> countAbove(const std::vector<std::vector<float>>& loss, float threshold, uint32_t vocabulary) {
  std::vector<uint64_t> counts{uint64_t{vocabulary} + 1};
  for (size_t n = 1; n < loss.size(); n++)
    counts.push_back(static_cast<uint64_t>(
        std::count_if(loss[n].begin(), loss[n].end(), [&](float one) { return one > threshold; })));
  return counts;
}

// The smallest loss at which the file is small enough.
float thresholdFor(const std::vector<std::vector<float>>& loss, uint32_t vocabulary, uint64_t mostBytes) {
  constexpr float all = -std::numeric_limits<float>::infinity();
  const auto fits = [&](float threshold) {
    return fileBytes(vocabulary, countAbove(loss, threshold, vocabulary)) <= mostBytes;
  };
  if (mostBytes == 0 || fits(all)) return all;
  float low = 0, high = 0;
  for (const auto& level : loss)
    for (const float one : level) {
      low = std::min(low, one);
      high = std::max(high, one);
    }
  for (int i = 0; i < 60 && low < high; i++) {
    const float middle = low + (high - low) / 2;
    (fits(middle) ? high : low) = middle;
    if (middle == low && middle == high) break;
  }
  return high;
}

// The grams above the threshold, with weights for which the probabilities of each context have the sum 1.
Grams prune(Levels& levels, const std::vector<std::vector<float>>& loss, float threshold, uint32_t vocabulary) {
  Grams grams;
  grams.vocabulary = vocabulary;
  grams.levels.resize(levels.size());
  std::vector<std::vector<uint32_t>> places(levels.size());
  const auto kept = [&](size_t n, size_t i) { return n == 0 || loss[n][i] > threshold; };
  // p of a gram by the pruned model, whether the gram was kept or not.
  const auto probability = [&](size_t n, uint32_t i) {
    double weight = 1;
    while (!kept(n, i)) {
      weight *= levels[n - 1].weight[levels[n].parent[i]];
      i = levels[n].suffix[i];
      n--;
    }
    return weight * levels[n].value[i];
  };
  for (size_t n = 0; n < levels.size(); n++) {
    const CountedLevel& level = levels[n];
    GramLevel& own = grams.levels[n];
    places[n].assign(level.size(), none);
    for (size_t i = 0; i < level.size(); i++) {
      if (!kept(n, i)) continue;
      places[n][i] = static_cast<uint32_t>(own.size());
      own.token.push_back(level.token[i]);
      own.parent.push_back(n == 0 ? 0 : places[n - 1][level.parent[i]]);
      own.value.push_back(static_cast<float>(std::log(std::max(level.value[i], 1e-10f))));
    }
    if (n == 0) continue;
    // Those of the level before: the probabilities of all shorter contexts are known now.
    CountedLevel& shorter = levels[n - 1];
    for (size_t i = 0; i < shorter.size(); i++) {
      double left = 1, leftShorter = 1;
      bool any = false;
      for (uint32_t k = shorter.first[i]; k < shorter.first[i + 1]; k++) {
        if (!kept(n, k)) continue;
        any = true;
        left -= level.value[k];
        leftShorter -= probability(n - 1, level.suffix[k]);
      }
      if (!any)
        shorter.weight[i] = 1;
      else
        shorter.weight[i] = static_cast<float>(std::max(left, 1e-6) / std::max(leftShorter, 1e-6));
      if (kept(n - 1, i)) grams.levels[n - 1].backoff.push_back(std::log(shorter.weight[i]));
    }
  }
  grams.levels.back().backoff.assign(grams.levels.back().size(), 0.0f);
  return grams;
}

}  // namespace

Grams estimate(const std::vector<WindowCount>& windows, int order, uint32_t vocabulary, uint64_t mostBytes) {
  Levels levels = gramsOf(windows, order, vocabulary);
  linkSuffixes(levels);
  countContinuations(levels);
  estimateLevels(levels, vocabulary);
  const auto loss = losses(levels);
  return prune(levels, loss, thresholdFor(loss, vocabulary, mostBytes), vocabulary);
}

}  // namespace parakeet::lm
