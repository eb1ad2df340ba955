#if defined(PARAKEET_CPU_KERNELS) && defined(__x86_64__)

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/cpu/avx2.h"
#include "ops/cpu/tile_kernel.h"
#include "ops/cpu/tile_rows_x86.h"

namespace parakeet::ops::avx2 {
namespace {

// Values that become a register of bytes.
constexpr int values = 4 * lanes;

// For the range of the row and of 0.
PARAKEET_AVX2 QuantizedRow scaleOf(const float* x, int inputs) {
  __m256 lows[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()}, highs[2] = {lows[0], lows[0]};
  int at = 0;
  for (; at + 2 * lanes <= inputs; at += 2 * lanes) {
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
      const __m256 v = _mm256_loadu_ps(x + at + static_cast<ptrdiff_t>(i) * lanes);
      lows[i] = _mm256_min_ps(v, lows[i]);
      highs[i] = _mm256_max_ps(v, highs[i]);
    }
  }
  float all[2][lanes];
  _mm256_storeu_ps(all[0], _mm256_min_ps(lows[0], lows[1]));
  _mm256_storeu_ps(all[1], _mm256_max_ps(highs[0], highs[1]));
  float low = *std::min_element(all[0], all[0] + lanes), high = *std::max_element(all[1], all[1] + lanes);
  for (; at < inputs; at++) {
    low = std::min(low, x[at]);
    high = std::max(high, x[at]);
  }
  const float range = high - low, scale = range > 0 ? range / 255.0f : 1.0f;
  return {scale, static_cast<int32_t>(std::lround(-low * (1.0f / scale)))};
}

// 4 · lanes whole numbers, as bytes or as words. All steps of packing saturate: nothing leaves [0, 255].
PARAKEET_AVX2_INLINE void store(const __m256i* whole, uint8_t* bytes) {
  // The eighths of four registers, as the packing leaves them, back in order.
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const __m256i first = _mm256_packs_epi32(whole[0], whole[1]), second = _mm256_packs_epi32(whole[2], whole[3]);
  const __m256i packed = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(first, second), order);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(bytes), packed);
}

PARAKEET_AVX2_INLINE void store(const __m256i* whole, int16_t* words) {
#pragma GCC unroll 2
  for (int half = 0; half < 2; half++) {
    // The quarters of two registers.
    constexpr int order = 0b11'01'10'00;
    const __m256i packed = _mm256_packs_epi32(whole[2 * half], whole[2 * half + 1]);
    const __m256i kept = _mm256_max_epi16(_mm256_setzero_si256(), _mm256_min_epi16(packed, _mm256_set1_epi16(255)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + 2 * half * lanes), _mm256_permute4x64_epi64(kept, order));
  }
}

template <class Whole>
PARAKEET_AVX2 void quantize(const float* x, int inputs, int groups, Whole* row, QuantizedRow* quantized) {
  *quantized = scaleOf(x, inputs);
  const __m256 inverse = _mm256_set1_ps(1.0f / quantized->scale),
               zero = _mm256_set1_ps(static_cast<float>(quantized->zero));
  const auto narrow = [&](const float* from, Whole* to) PARAKEET_AVX2_LAMBDA {
    __m256i whole[values / lanes];
#pragma GCC unroll 4
    for (int i = 0; i < values / lanes; i++) {
      const __m256 v = _mm256_loadu_ps(from + static_cast<ptrdiff_t>(i) * lanes);
      whole[i] = _mm256_cvtps_epi32(_mm256_fmadd_ps(v, inverse, zero));
    }
    store(whole, to);
  };
  int at = 0;
  for (; at + values <= inputs; at += values) narrow(x + at, row + at);
  if (at < inputs) {
    float rest[values] = {};
    Whole narrowed[values];
    std::memcpy(rest, x + at, (inputs - at) * sizeof *x);
    narrow(rest, narrowed);
    std::memcpy(row + at, narrowed, (inputs - at) * sizeof *row);
  }
  std::memset(row + inputs, 0, static_cast<size_t>(groups) * 4 - inputs * sizeof *row);
}

}  // namespace

void quantizeRow(const float* x, int inputs, int groups, void* row, QuantizedRow* quantized) {
  quantize(x, inputs, groups, static_cast<uint8_t*>(row), quantized);
}

void quantizeToWords(const float* x, int inputs, int groups, void* row, QuantizedRow* quantized) {
  quantize(x, inputs, groups, static_cast<int16_t*>(row), quantized);
}

PARAKEET_AVX2 void widenBytes(const int8_t* x, const float* scale, int count, float* y) {
  constexpr int vectors = tileColumns / lanes;
  __m256 scales[vectors];
#pragma GCC unroll 4
  for (int j = 0; j < vectors; j++) scales[j] = _mm256_loadu_ps(scale + static_cast<ptrdiff_t>(lanes) * j);
  for (int i = 0; i < count; i++, x += tileColumns, y += tileColumns) {
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++) {
      const ptrdiff_t at = static_cast<ptrdiff_t>(lanes) * j;
      const __m256i whole = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x + at)));
      _mm256_storeu_ps(y + at, _mm256_mul_ps(_mm256_cvtepi32_ps(whole), scales[j]));
    }
  }
}

}  // namespace parakeet::ops::avx2

#endif
