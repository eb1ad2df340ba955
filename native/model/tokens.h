// A decoder's output: tokens with their frames.
#pragma once

#include <cstdint>
#include <vector>

namespace parakeet {

struct Token {
  int id = 0;
  int64_t start = 0;     // frame
  int64_t duration = 0;  // frames, at least 0
  float confidence = 1;  // by the measure that its decoder has
};

using Tokens = std::vector<Token>;

}  // namespace parakeet
