#ifdef __x86_64__

#include "ops/cpu/vector_level.h"

#include <algorithm>

#include "ops/cpu/onednn.h"

#ifdef _WIN32
#include <cpuid.h>
#endif

namespace parakeet::ops {
namespace {

#ifdef _WIN32
// __builtin_cpu_supports needs a library of Clang's that clang-cl does not link.
VectorLevel ofMachine() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned fma = 1u << 12, saved = 1u << 27;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & fma) == 0 || (ecx & saved) == 0) return VectorLevel::base;
  // Which registers the system keeps for each thread.
  unsigned kept = 0, upper = 0;
  asm volatile("xgetbv" : "=a"(kept), "=d"(upper) : "c"(0));
  constexpr unsigned keptAvx = 0x06, keptAvx512 = 0xe6;
  if ((kept & keptAvx) != keptAvx || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return VectorLevel::base;
  constexpr unsigned avx2 = 1u << 5, avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;  // F, DQ, BW, VL
  if ((kept & keptAvx512) == keptAvx512 && (ebx & avx512) == avx512) return VectorLevel::avx512;
  return (ebx & avx2) != 0 ? VectorLevel::avx2 : VectorLevel::base;
}
#else
VectorLevel ofMachine() {
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return VectorLevel::avx512;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? VectorLevel::avx2 : VectorLevel::base;
}
#endif

VectorLevel allowed() {
#ifdef PARAKEET_ONEDNN
  return hasAvx512() ? VectorLevel::avx512 : hasAvx2() ? VectorLevel::avx2 : VectorLevel::base;
#else
  return VectorLevel::avx512;
#endif
}

}  // namespace

VectorLevel vectorLevel() {
  static const VectorLevel level = std::min(ofMachine(), allowed());
  return level;
}

}  // namespace parakeet::ops

#endif
