#include "lm/gram_table.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "error.h"

namespace parakeet::lm {
namespace {

// Of p: ln of less is none that counts.
constexpr float least = -100.0f, most = 100.0f;

[[noreturn]] void fail(const std::string& what) { throw Error("ERR_PARAKEET_INVALID_LANGUAGE_MODEL", what); }

std::string named(const Window& window) {
  std::string text;
  for (int i = 0; i < mostOrder && window.at(i) >= 0; i++) text += (i ? " " : "") + std::to_string(window.at(i));
  return text;
}

}  // namespace

void GramTable::add(const int32_t* tokens, int length, float value, float backoff) {
  if (length < 1 || length > mostOrder)
    fail("Expected grams of 1 to 6 tokens but received one of " + std::to_string(length));
  for (int i = 0; i < length; i++) {
    const bool start = i == 0 && tokens[i] == static_cast<int32_t>(vocabulary_);
    if (tokens[i] < 0 || (tokens[i] >= static_cast<int32_t>(vocabulary_) && !start))
      fail("Expected tokens of the vocabulary but received " + std::to_string(tokens[i]));
  }
  // -inf and -99 stand for "never".
  if (std::isnan(value) || std::isnan(backoff) || value > most || backoff > most)
    fail("Expected logarithms of probabilities but received " + std::to_string(value) + ", " + std::to_string(backoff));
  rows_[length - 1].push_back({Window::of(tokens, length), std::max(value, least), std::max(backoff, least)});
}

Grams GramTable::take(float unseen) {
  Grams grams;
  grams.vocabulary = vocabulary_;
  int order = mostOrder;
  while (order > 1 && rows_[order - 1].empty()) order--;
  grams.levels.resize(order);
  GramLevel& tokens = grams.levels[0];
  for (uint32_t token = 0; token <= vocabulary_; token++) tokens.token.push_back(token);
  tokens.parent.assign(tokens.size(), 0);
  tokens.value.assign(tokens.size(), std::max(unseen, least));
  tokens.backoff.assign(tokens.size(), 0.0f);
  std::vector<Row> before;
  for (int n = 0; n < order; n++) {
    std::vector<Row> rows = std::move(rows_[n]);
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.window < b.window; });
    const auto twice =
        std::adjacent_find(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.window == b.window; });
    if (twice != rows.end()) fail("Expected each gram once but tokens " + named(twice->window) + " come twice");
    if (n == 0) {
      for (const Row& row : rows) {
        const auto token = static_cast<uint32_t>(row.window.at(0));
        tokens.value[token] = row.value;
        tokens.backoff[token] = row.backoff;
        if (token == vocabulary_) grams.start = vocabulary_;
      }
      continue;
    }
    GramLevel& level = grams.levels[n];
    size_t parent = 0;
    for (const Row& row : rows) {
      std::array<int32_t, mostOrder> own{};
      for (int i = 0; i <= n; i++) own[i] = static_cast<int32_t>(row.window.at(i));
      const Window continued = Window::of(own.data(), n);
      if (n == 1) {
        parent = static_cast<size_t>(own[0]);
      } else {
        while (parent < before.size() && before[parent].window < continued) parent++;
        if (parent == before.size() || before[parent].window != continued)
          fail("Expected a gram of tokens " + named(continued) + ", which tokens " + named(row.window) + " continue");
      }
      level.token.push_back(static_cast<uint32_t>(own[n]));
      level.parent.push_back(static_cast<uint32_t>(parent));
      level.value.push_back(row.value);
      level.backoff.push_back(row.backoff);
    }
    before = std::move(rows);
  }
  return grams;
}

}  // namespace parakeet::lm
