// What the files in AVX-512 share: their target, and an exponential.
#pragma once

#if defined(__x86_64__)

// GCC 12 warns of its own header, which leaves registers unset on purpose (GCC bug 105593).
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#include <algorithm>

#include "ops/cpu/power_of_two.h"

// What any of the kinds of products needs: compilers do not emit the instructions for bfloat16 and bytes on their own,
// so a CPU that lacks those runs the functions of float32 all the same.
#define PARAKEET_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vnni")))
#define PARAKEET_AVX512_INLINE PARAKEET_AVX512 __attribute__((always_inline)) inline
#define PARAKEET_AVX512_LAMBDA PARAKEET_AVX512 __attribute__((always_inline))

namespace parakeet::ops::avx512 {

// Values of a register.
constexpr int lanes = 16;

// The first `count` lanes; none below 0, all from 16 on.
inline __mmask16 firstLanes(int count) { return static_cast<__mmask16>((1u << std::clamp(count, 0, lanes)) - 1); }

// 2ᵗ: 2ⁿ · 2^f with |f| <= 1/2.
// From 0 to infinity; NaN stays NaN.
PARAKEET_AVX512_INLINE __m512 powerOfTwo(__m512 t) {
  const __m512 f = _mm512_reduce_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m512 p = _mm512_set1_ps(powerOfTwoTerms[powerOfTwoDegree]);
#pragma GCC unroll 5
  for (int k = powerOfTwoDegree - 1; k >= 0; k--) p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(powerOfTwoTerms[k]));
  return _mm512_scalef_ps(p, _mm512_sub_ps(t, f));
}

// The same with a relative error of 1e-4, in the range of numbers that are not denormal.
PARAKEET_AVX512_INLINE __m512 roughPowerOfTwo(__m512 t) {
  const __m512 f = _mm512_reduce_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m512 p = _mm512_set1_ps(0.0551716695f);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.242611125f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.693260986f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.999928073f));
  return _mm512_scalef_ps(p, _mm512_sub_ps(t, f));
}

}  // namespace parakeet::ops::avx512

#endif
