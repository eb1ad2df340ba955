#if defined(PARAKEET_CPU_KERNELS) && defined(__x86_64__)

#include <algorithm>
#include <cstddef>

#include "ops/cpu/avx2.h"
#include "ops/cpu/tile_kernel.h"
#include "ops/cpu/tile_rows_x86.h"

namespace parakeet::ops::avx2 {
namespace {

// 8 × 8 values: value j of register i becomes value i of register j.
PARAKEET_AVX2_INLINE void transpose(__m256 (&rows)[lanes]) {
  __m256 pairs[lanes], quads[lanes];
#pragma GCC unroll 4
  for (int i = 0; i < lanes; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
  }
  // In each half of quads[4 · k + j]: column 4 · half + j of rows 4 · k …
#pragma GCC unroll 2
  for (int i = 0; i < lanes; i += 4) {
    quads[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
    quads[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
    quads[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
    quads[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    rows[j] = _mm256_permute2f128_ps(quads[j], quads[j + 4], 0x20);
    rows[j + 4] = _mm256_permute2f128_ps(quads[j], quads[j + 4], 0x31);
  }
}

}  // namespace

PARAKEET_AVX2 void packColumns(const float* const* rows, int size, int groups, float* packed) {
  const int whole = size / lanes * lanes;
  for (int column = 0; column < tileColumns; column += lanes) {
    const float* const* own = rows + column;
    float* to = packed + column;
    for (int at = 0; at < whole; at += lanes) {
      __m256 values[lanes];
#pragma GCC unroll 8
      for (int i = 0; i < lanes; i++) values[i] = own[i] ? _mm256_loadu_ps(own[i] + at) : _mm256_setzero_ps();
      transpose(values);
#pragma GCC unroll 8
      for (int i = 0; i < lanes; i++) _mm256_storeu_ps(to + static_cast<ptrdiff_t>(at + i) * tileColumns, values[i]);
    }
    for (int at = whole; at < groups; at++) {
      for (int i = 0; i < lanes; i++)
        to[static_cast<ptrdiff_t>(at) * tileColumns + i] = at < size && own[i] ? own[i][at] : 0.0f;
    }
  }
}

}  // namespace parakeet::ops::avx2

#endif
