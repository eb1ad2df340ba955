// Counts the windows of a text of tokens: the sequences of `order` tokens, and the shorter ones at the ends of texts.
// Memory grows with the different windows, not with the text.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <vector>

#include "lm/format.h"

namespace parakeet::lm {

// The tokens of a window, each plus 1, in 21 bits; 0 behind the end of a text.
struct Window {
  uint64_t high = 0, low = 0;

  auto operator<=>(const Window&) const = default;
  // Its token at `place`, -1 behind the end.
  int64_t at(int place) const {
    const uint64_t word = place < 3 ? high : low;
    return static_cast<int64_t>(word >> (42 - 21 * (place % 3)) & 0x1fffff) - 1;
  }
  static Window of(const int32_t* tokens, int count) {
    Window window;
    for (int i = 0; i < count; i++)
      (i < 3 ? window.high : window.low) |= static_cast<uint64_t>(tokens[i] + 1) << (42 - 21 * (i % 3));
    return window;
  }
};

struct WindowCount {
  Window window;
  uint64_t count;
};

class WindowCounts {
 public:
  explicit WindowCounts(int order) : order_(order) {}

  // The next tokens; -1 ends a text, so that no window reaches across it.
  void add(const int32_t* tokens, size_t count);
  uint64_t tokens() const { return tokens_; }
  // All different windows, sorted. Empties this.
  std::vector<WindowCount> take();

 private:
  using Run = std::vector<WindowCount>;
  void windows(bool ended);
  void sortIn();
  static Run merge(const Run& one, const Run& other);

  int order_;
  uint64_t tokens_ = 0;
  std::vector<int32_t> text_;  // tokens whose windows are not complete
  std::vector<Window> unsorted_;
  std::vector<Run> runs_;  // sorted, each about twice as long as the next
};

}  // namespace parakeet::lm
