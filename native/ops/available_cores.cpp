#include "ops/available_cores.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <thread>

#ifdef __linux__
#include <sched.h>

#include <memory>
#elif defined(_WIN32)
#include <windows.h>
#endif

namespace parakeet::ops {
namespace {

// Cores of the calling thread's affinity; 0 when it cannot be asked for.
int affinityCores() {
#ifdef __linux__
  // The kernel refuses a set smaller than its own, which may be larger than cpu_set_t.
  for (int cores = 1024; cores <= (1 << 16); cores *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(static_cast<size_t>(cores)),
                                                               [](cpu_set_t* one) { CPU_FREE(one); });
    const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(cores));
    if (sched_getaffinity(0, bytes, set.get()) == 0) return CPU_COUNT_S(bytes, set.get());
  }
#elif defined(_WIN32)
  // Of the process, in its group of at most 64 cores.
  DWORD_PTR own = 0, all = 0;
  if (GetProcessAffinityMask(GetCurrentProcess(), &own, &all)) return std::popcount(own);
#endif
  return 0;
}

// Cores of the control group's quota (version 2, then 1), rounded up; 0 for no quota.
int quotaCores() {
  double quota = -1, period = -1;
  if (std::ifstream file{"/sys/fs/cgroup/cpu.max"}; file) {
    file >> quota >> period;  // "max 100000" leaves both unread
  } else {
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") >> quota;
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? static_cast<int>(std::ceil(quota / period)) : 0;
}

}  // namespace

int availableCores() {
  const int affinity = affinityCores(), quota = quotaCores();
  const int cores = affinity > 0 ? affinity : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, quota > 0 ? std::min(cores, quota) : cores);
}

}  // namespace parakeet::ops
