// Collects the grams of a model that another program made, in any order, and makes levels of them.
#pragma once

#include <array>
#include <vector>

#include "lm/grams.h"
#include "lm/window_counts.h"

namespace parakeet::lm {

class GramTable {
 public:
  explicit GramTable(uint32_t vocabulary) : vocabulary_(vocabulary) {}

  // A gram of `length` tokens with natural logarithms. The token `vocabulary` is <s>, which begins grams only. Throws
  // ERR_PARAKEET_INVALID_LANGUAGE_MODEL for a token or a value that is none.
  void add(const int32_t* tokens, int length, float value, float backoff);
  // `unseen`: ln p of tokens that have no gram. Throws ERR_PARAKEET_INVALID_LANGUAGE_MODEL for a gram that occurs twice
  // or continues one that is not there. Empties this.
  Grams take(float unseen);

 private:
  struct Row {
    Window window;
    float value, backoff;
  };
  uint32_t vocabulary_;
  std::array<std::vector<Row>, mostOrder> rows_;
};

}  // namespace parakeet::lm
