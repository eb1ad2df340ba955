// What the files in AVX2 share: their target, and an exponential.
#pragma once

#if defined(__x86_64__)

#include <immintrin.h>

#include "ops/cpu/power_of_two.h"

// What any of the kinds of products needs: compilers do not emit AVX-VNNI's instructions on their own, so a CPU that
// lacks them runs the functions of float32 all the same.
#define PARAKEET_AVX2 __attribute__((target("avx2,fma,avxvnni")))
#define PARAKEET_AVX2_INLINE PARAKEET_AVX2 __attribute__((always_inline)) inline
#define PARAKEET_AVX2_LAMBDA PARAKEET_AVX2 __attribute__((always_inline))

namespace parakeet::ops::avx2 {

// Values of a register.
constexpr int lanes = 8;

// 2ᵗ for t clamped to [−125, 126], as powerOfTwo of avx512.h; NaN stays NaN, because a minimum and a maximum give their
// second operand then.
PARAKEET_AVX2_INLINE __m256 powerOfTwo(__m256 t) {
  t = _mm256_max_ps(_mm256_set1_ps(-125.0f), _mm256_min_ps(_mm256_set1_ps(126.0f), t));
  const __m256 n = _mm256_round_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC), f = _mm256_sub_ps(t, n);
  __m256 p = _mm256_set1_ps(powerOfTwoTerms[powerOfTwoDegree]);
#pragma GCC unroll 5
  for (int k = powerOfTwoDegree - 1; k >= 0; k--) p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(powerOfTwoTerms[k]));
  // n is added to the exponent.
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23)));
}

}  // namespace parakeet::ops::avx2

#endif
