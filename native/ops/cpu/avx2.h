// What the files in AVX2 share: their target, and an exponential.
#pragma once

#if defined(__x86_64__)

#include <immintrin.h>

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
  __m256 p = _mm256_set1_ps(1.32647273e-3f);
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(9.67151299e-3f));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(5.55073358e-2f));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(2.40222424e-1f));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(6.93147004e-1f));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(1.0f));
  // n is added to the exponent.
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23)));
}

}  // namespace parakeet::ops::avx2

#endif
