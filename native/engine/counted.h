// Counts what is alive, for tests and diagnostics.
#pragma once

#include <atomic>

namespace parakeet {

template <class Tag>
class Counted {
 public:
  Counted() { alive()++; }
  ~Counted() { alive()--; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  static std::atomic<int>& alive() {
    static std::atomic<int> count{0};
    return count;
  }
};
struct SessionTag {};
struct ModelTag {};

}  // namespace parakeet
