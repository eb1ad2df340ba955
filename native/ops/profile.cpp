#include "ops/profile.h"

#include <atomic>

#ifdef _WIN32
#include <windows.h>
#else
#include <ctime>
#endif

namespace parakeet::ops {
namespace {

std::atomic<bool> enabled{false};
std::array<std::atomic<int64_t>, parts> nanoseconds{};
thread_local Part currentPart = Part::other;
thread_local PartTimer* currentTimer = nullptr;

// Nanoseconds of CPU of the calling thread.
#ifdef _WIN32
int64_t threadTime() {
  FILETIME created, ended, kernel, user;
  if (!GetThreadTimes(GetCurrentThread(), &created, &ended, &kernel, &user)) return 0;
  const auto ticks = [](const FILETIME& time) {
    return static_cast<int64_t>(time.dwHighDateTime) << 32 | static_cast<int64_t>(time.dwLowDateTime);
  };
  return 100 * (ticks(kernel) + ticks(user));
}
#else
int64_t threadTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<int64_t>(time.tv_sec) * 1000000000 + time.tv_nsec;
}
#endif

}  // namespace

const std::array<const char*, parts> partNames{"mel",         "subsampling", "feedForward", "attention",
                                               "convolution", "decoder",     "other"};

PartScope::PartScope(Part part) : before_(currentPart) { currentPart = part; }
PartScope::~PartScope() { currentPart = before_; }
Part PartScope::current() { return currentPart; }

PartTimer::PartTimer(Part part) : part_(part), start_(-1), outer_(currentTimer) {
  if (!enabled.load(std::memory_order_relaxed)) return;
  if (outer_) outer_->add();
  start_ = threadTime();
  currentTimer = this;
}

PartTimer::~PartTimer() {
  if (start_ < 0) return;
  add();
  currentTimer = outer_;
  if (outer_) outer_->start_ = threadTime();
}

void PartTimer::add() { nanoseconds[static_cast<size_t>(part_)] += threadTime() - start_; }

bool profiling() { return enabled.load(std::memory_order_relaxed); }

void addTime(Part part, int64_t time) { nanoseconds[static_cast<size_t>(part)] += time; }

void profile(bool on) {
  for (auto& part : nanoseconds) part = 0;
  enabled = on;
}

std::array<double, parts> profiled() {
  std::array<double, parts> seconds{};
  for (size_t i = 0; i < seconds.size(); i++) seconds[i] = static_cast<double>(nanoseconds[i].load()) * 1e-9;
  return seconds;
}

}  // namespace parakeet::ops
