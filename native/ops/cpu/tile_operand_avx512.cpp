#if defined(PARAKEET_CPU_KERNELS) && defined(__x86_64__)

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/cpu/avx512.h"
#include "ops/cpu/tile_kernel.h"
#include "ops/cpu/tile_rows_x86.h"

namespace parakeet::ops::avx512 {
namespace {

PARAKEET_AVX512 void narrowRow(const float* x, int inputs, int groups, uint32_t* row) {
  for (int group = 0; group < groups; group += lanes) {
    const int at = 2 * group;
    const __m512 low = _mm512_maskz_loadu_ps(firstLanes(inputs - at), x + at),
                 high = _mm512_maskz_loadu_ps(firstLanes(inputs - at - lanes), x + at + lanes);
    _mm512_mask_storeu_epi32(row + group, firstLanes(groups - group), (__m512i)_mm512_cvtne2ps_pbh(high, low));
  }
}

PARAKEET_AVX512_INLINE QuantizedRow scaleOf(__m512 lows, __m512 highs) {
  const float low = _mm512_reduce_min_ps(lows), high = _mm512_reduce_max_ps(highs);
  const float range = high - low, scale = range > 0 ? range / 255.0f : 1.0f;
  return {scale, static_cast<int32_t>(std::lround(-low * (1.0f / scale)))};
}

// For the range of the row and of 0.
PARAKEET_AVX512_INLINE QuantizedRow scaleOf(const float* x, int inputs) {
  __m512 lows = _mm512_setzero_ps(), highs = lows;
  for (int at = 0; at < inputs; at += lanes) {
    const __m512 v = _mm512_maskz_loadu_ps(firstLanes(inputs - at), x + at);
    lows = _mm512_min_ps(v, lows);
    highs = _mm512_max_ps(v, highs);
  }
  return scaleOf(lows, highs);
}

PARAKEET_AVX512 QuantizedRow quantizeRow(const float* x, int inputs, int groups, uint32_t* row) {
  const QuantizedRow own = scaleOf(x, inputs);
  const __m512 inverse = _mm512_set1_ps(1.0f / own.scale), zero = _mm512_set1_ps(static_cast<float>(own.zero));
  // The quarters of four registers, as the packing leaves them, back in order.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  for (int group = 0; group < groups; group += lanes) {
    const auto whole = [&](int which) PARAKEET_AVX512_LAMBDA {
      const int at = 4 * group + which * lanes;
      const __mmask16 mask = firstLanes(inputs - at);
      return _mm512_maskz_cvtps_epi32(mask, _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, x + at), inverse, zero));
    };
    // Both steps of packing saturate: nothing leaves [0, 255].
    const __m512i first = _mm512_packs_epi32(whole(0), whole(1)), second = _mm512_packs_epi32(whole(2), whole(3));
    const __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(first, second));
    _mm512_mask_storeu_epi32(row + group, firstLanes(groups - group), bytes);
  }
  return own;
}

// Sixteen values in bfloat16 of the 32 in a register: of each quarter the first half, or the second.
PARAKEET_AVX512_INLINE __m512 firstHalves(__m512i narrow) {
  return _mm512_castsi512_ps(_mm512_unpacklo_epi16(_mm512_setzero_si512(), narrow));
}
PARAKEET_AVX512_INLINE __m512 secondHalves(__m512i narrow) {
  return _mm512_castsi512_ps(_mm512_unpackhi_epi16(_mm512_setzero_si512(), narrow));
}

PARAKEET_AVX512_INLINE __mmask32 firstWords(int count) {
  return count >= 32 ? ~__mmask32{0} : (__mmask32{1} << std::max(count, 0)) - 1;
}

PARAKEET_AVX512 QuantizedRow quantizeNarrowRow(const uint16_t* x, int inputs, int groups, uint32_t* row) {
  __m512 lows = _mm512_setzero_ps(), highs = lows;
  for (int at = 0; at < inputs; at += 2 * lanes) {
    const __m512i narrow = _mm512_maskz_loadu_epi16(firstWords(inputs - at), x + at);
    const __m512 first = firstHalves(narrow), second = secondHalves(narrow);
    lows = _mm512_min_ps(first, _mm512_min_ps(second, lows));
    highs = _mm512_max_ps(first, _mm512_max_ps(second, highs));
  }
  const QuantizedRow own = scaleOf(lows, highs);
  const __m512 inverse = _mm512_set1_ps(1.0f / own.scale), zero = _mm512_set1_ps(static_cast<float>(own.zero));
  // The eighths of two registers, as the packing leaves them, back in order.
  const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  for (int group = 0; group < groups; group += lanes) {
    const auto words = [&](int at) PARAKEET_AVX512_LAMBDA {
      const __mmask32 mask = firstWords(inputs - at);
      const __m512i narrow = _mm512_maskz_loadu_epi16(mask, x + at);
      const auto whole = [&](__m512 v)
                             PARAKEET_AVX512_LAMBDA { return _mm512_cvtps_epi32(_mm512_fmadd_ps(v, inverse, zero)); };
      // Packing quarters puts the halves back together.
      return _mm512_maskz_mov_epi16(mask, _mm512_packs_epi32(whole(firstHalves(narrow)), whole(secondHalves(narrow))));
    };
    const __m512i packed = _mm512_packus_epi16(words(4 * group), words(4 * group + 2 * lanes));
    _mm512_mask_storeu_epi32(row + group, firstLanes(groups - group), _mm512_permutexvar_epi64(order, packed));
  }
  return own;
}

}  // namespace

void operandRow(ProductKind kind, const float* x, int inputs, int groups, void* row, QuantizedRow* quantized) {
  auto* words = static_cast<uint32_t*>(row);
  switch (kind) {
    case ProductKind::float32:
      std::memcpy(row, x, inputs * sizeof *x);
      return std::fill(words + inputs, words + groups, 0);
    case ProductKind::bfloat16:
      return narrowRow(x, inputs, groups, words);
    case ProductKind::bytes:
      *quantized = quantizeRow(x, inputs, groups, words);
      return;
    case ProductKind::words:
      break;  // of AVX2
  }
}

void bytesOfNarrowRow(const uint16_t* x, int inputs, int groups, void* row, QuantizedRow* quantized) {
  *quantized = quantizeNarrowRow(x, inputs, groups, static_cast<uint32_t*>(row));
}

}  // namespace parakeet::ops::avx512

#endif
