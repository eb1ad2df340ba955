// Where the time goes, by part of the model: for bench/ and `parakeet doctor`. Off unless asked for: reading a thread's
// clock is a system call, and a device must be awaited after each part. On the CPU MLX's own operations (mostly copies
// of caches) are not attributed to any part.
#pragma once

#include <array>
#include <cstdint>

namespace parakeet::ops {

enum class Part { mel, subsampling, feedForward, attention, convolution, decoder, other };
constexpr int parts = 7;
extern const std::array<const char*, parts> partNames;

// The part that operations made on this thread belong to, for as long as the scope lives.
class PartScope {
 public:
  explicit PartScope(Part part);
  ~PartScope();
  PartScope(const PartScope&) = delete;
  PartScope& operator=(const PartScope&) = delete;
  static Part current();

 private:
  Part before_;
};

// Adds the calling thread's CPU time, from here to the end of the scope, to `part`. While another one lives within it,
// the time is the inner one's.
class PartTimer {
 public:
  explicit PartTimer(Part part);
  ~PartTimer();
  PartTimer(const PartTimer&) = delete;
  PartTimer& operator=(const PartTimer&) = delete;

 private:
  void add();

  Part part_;
  int64_t start_;
  PartTimer* outer_;
};

// Starts from zero, or stops.
void profile(bool on);
bool profiling();
// Time that was measured elsewhere.
void addTime(Part part, int64_t nanoseconds);
// Seconds of each part since then: of CPU, all threads together, and of the device.
std::array<double, parts> profiled();

}  // namespace parakeet::ops
