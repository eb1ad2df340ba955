#if defined(PARAKEET_CPU_KERNELS) && defined(__x86_64__)

#include "ops/cpu/avx2.h"
#include "ops/cpu/tile_four_bits.h"
#include "ops/cpu/tile_rows_x86.h"

namespace parakeet::ops::avx2 {
namespace {

// Registers of bytes of half a panel's columns, and rows of them in a block.
constexpr int halfColumns = tileColumns / 2, registers = halfColumns / lanes, steps = fourBitValues / 4;

PARAKEET_AVX2_INLINE __m256i wordsOf(const uint8_t* bytes) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

// y = scale · words, 16 of them.
PARAKEET_AVX2_INLINE void storeScaled(__m256i words, const float* scale, float* y) {
  const __m256i parts[2] = {_mm256_cvtepi16_epi32(_mm256_castsi256_si128(words)),
                            _mm256_cvtepi16_epi32(_mm256_extracti128_si256(words, 1))};
#pragma GCC unroll 2
  for (int i = 0; i < 2; i++) {
    const ptrdiff_t at = static_cast<ptrdiff_t>(lanes) * i;
    _mm256_storeu_ps(y + at, _mm256_mul_ps(_mm256_cvtepi32_ps(parts[i]), _mm256_loadu_ps(scale + at)));
  }
}

}  // namespace

// As multiplyFourBits of tile_four_bits_avx512.cpp unpacks them.
PARAKEET_AVX2 void unpackFourBits(const uint8_t* blocks, int count, int8_t* bytes) {
  const __m256i toBytes = _mm256_setr_epi32(0x00000000, 0x01010101, 0x02020202, 0x03030303, 0x04040404, 0x05050505,
                                            0x06060606, 0x07070707),
                toWords = _mm256_or_si256(toBytes, _mm256_set1_epi16(static_cast<int16_t>(0x8000)));
  const __m256i below = _mm256_set1_epi8(0x0f);
  const auto eight = [&](const uint8_t* columns, __m256i order) PARAKEET_AVX2_LAMBDA {
    return _mm256_shuffle_epi8(_mm256_broadcastq_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(columns))),
                               order);
  };
  for (int b = 0; b < count; b++, blocks += fourBitBlock) {
    __m256i ratios[registers], ratiosAbove[registers], zeros[registers], zerosAbove[registers];
#pragma GCC unroll 2
    for (int i = 0; i < registers; i++) {
      const uint8_t* columns = blocks + static_cast<ptrdiff_t>(lanes) * i;
      ratios[i] = eight(columns, toWords);
      ratiosAbove[i] = _mm256_slli_epi16(eight(columns + halfColumns, toWords), 12);
      zeros[i] = eight(columns + tileColumns, toBytes);
      zerosAbove[i] = eight(columns + tileColumns + halfColumns, toBytes);
    }
    const uint8_t* codes = blocks + static_cast<ptrdiff_t>(2) * tileColumns;
    for (int step = 0; step < steps; step++, codes += 4 * halfColumns, bytes += 4 * tileColumns) {
#pragma GCC unroll 2
      for (int i = 0; i < registers; i++) {
        const ptrdiff_t at = static_cast<ptrdiff_t>(4 * lanes) * i;
        const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + at));
        const auto store = [&](int8_t* to, __m256i products, __m256i zero) PARAKEET_AVX2_LAMBDA {
          _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_sub_epi8(products, zero));
        };
        store(bytes + at, _mm256_mullo_epi16(_mm256_and_si256(both, below), ratios[i]), zeros[i]);
        store(bytes + at + static_cast<ptrdiff_t>(4) * halfColumns,
              _mm256_mulhi_epu16(_mm256_andnot_si256(below, both), ratiosAbove[i]), zerosAbove[i]);
      }
    }
  }
}

PARAKEET_AVX2 void fourBitsToWords(const uint8_t* blocks, int count, int16_t* words) {
  const __m256i below = _mm256_set1_epi16(0x0f);
  // A byte a column, as the two words of each of eight columns.
  const auto doubled = [](const uint8_t* columns) PARAKEET_AVX2_LAMBDA {
    const __m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(columns));
    return _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(eight, eight));
  };
  for (int b = 0; b < count; b++, blocks += fourBitBlock) {
    __m256i ratios[registers], ratiosAbove[registers], zeros[registers], zerosAbove[registers];
#pragma GCC unroll 2
    for (int i = 0; i < registers; i++) {
      const uint8_t* columns = blocks + static_cast<ptrdiff_t>(lanes) * i;
      ratios[i] = doubled(columns);
      ratiosAbove[i] = doubled(columns + halfColumns);
      zeros[i] = doubled(columns + tileColumns);
      zerosAbove[i] = doubled(columns + tileColumns + halfColumns);
    }
    const uint8_t* codes = blocks + static_cast<ptrdiff_t>(2) * tileColumns;
    for (int pair = 0; pair < fourBitValues / 2; pair++, codes += 2 * halfColumns, words += 2 * tileColumns) {
#pragma GCC unroll 2
      for (int i = 0; i < registers; i++) {
        const ptrdiff_t at = static_cast<ptrdiff_t>(2 * lanes) * i;
        const __m256i both = wordsOf(codes + at);
        const auto store = [&](int16_t* to, __m256i code, __m256i ratio, __m256i zero) PARAKEET_AVX2_LAMBDA {
          _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_sub_epi16(_mm256_mullo_epi16(code, ratio), zero));
        };
        store(words + at, _mm256_and_si256(both, below), ratios[i], zeros[i]);
        store(words + at + static_cast<ptrdiff_t>(2) * halfColumns, _mm256_srli_epi16(both, 4), ratiosAbove[i],
              zerosAbove[i]);
      }
    }
  }
}

PARAKEET_AVX2 void widenFourBits(const uint8_t* blocks, int count, const float* scale, float* y) {
  const __m256i below = _mm256_set1_epi16(0x0f);
  for (int b = 0; b < count; b++, blocks += fourBitBlock) {
    const __m256i ratios = wordsOf(blocks), ratiosAbove = wordsOf(blocks + halfColumns),
                  zeros = wordsOf(blocks + tileColumns), zerosAbove = wordsOf(blocks + tileColumns + halfColumns);
    const uint8_t* codes = blocks + static_cast<ptrdiff_t>(2) * tileColumns;
    for (int value = 0; value < fourBitValues; value++, codes += halfColumns, y += tileColumns) {
      const __m256i both = wordsOf(codes);
      storeScaled(_mm256_sub_epi16(_mm256_mullo_epi16(_mm256_and_si256(both, below), ratios), zeros), scale, y);
      storeScaled(_mm256_sub_epi16(_mm256_mullo_epi16(_mm256_srli_epi16(both, 4), ratiosAbove), zerosAbove),
                  scale + halfColumns, y + halfColumns);
    }
  }
}

}  // namespace parakeet::ops::avx2

#endif
