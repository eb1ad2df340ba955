#if defined(PARAKEET_CPU_KERNELS) && defined(__aarch64__)

#include <sys/auxv.h>

#include "ops/cpu/instructions.h"
#include "ops/cpu/neon.h"

namespace parakeet::ops {
namespace {

// Bits of the kernel's interface, which older headers do not name.
constexpr unsigned long dotProducts = 1ul << 20;  // HWCAP_ASIMDDP, in AT_HWCAP
constexpr unsigned long bfloat16 = 1ul << 14;     // HWCAP2_BF16, in AT_HWCAP2

#ifdef PARAKEET_NEON_NARROW
constexpr bool compiled = true;
#else
constexpr bool compiled = false;
#endif

}  // namespace

bool hasBfloat16() {
  static const bool has = compiled && (getauxval(AT_HWCAP2) & bfloat16) != 0;
  return has;
}

bool hasByteProducts() {
  static const bool has = compiled && (getauxval(AT_HWCAP) & dotProducts) != 0;
  return has;
}

std::string instructions() {
  return std::string("neon") + (hasByteProducts() ? "_dotprod" : "") + (hasBfloat16() ? "_bf16" : "");
}

}  // namespace parakeet::ops

#endif
