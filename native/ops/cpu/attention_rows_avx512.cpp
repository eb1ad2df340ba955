#if defined(PARAKEET_CPU_KERNELS) && defined(__x86_64__)

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

#include "ops/cpu/avx512.h"
#include "ops/cpu/tile_kernel.h"
#include "ops/cpu/tile_rows_x86.h"

namespace parakeet::ops::avx512 {
namespace {

// The values of a register's groups.
template <ProductKind kind>
constexpr int groupValues = lanes * groupSize(kind);

// Values [0, count) as a register of groups, zeros after them.
template <ProductKind kind, class Load>
PARAKEET_AVX512_INLINE __m512i groupsOf(int count, Load load) {
  const __m512 first = load(0, firstLanes(count));
  if constexpr (kind == ProductKind::float32) return _mm512_castps_si512(first);
  return (__m512i)_mm512_cvtne2ps_pbh(load(lanes, firstLanes(count - lanes)), first);
}

// 16 × 16 words: word j of register i becomes word i of register j.
PARAKEET_AVX512_INLINE void transpose(__m512i (&rows)[lanes]) {
  __m512i pairs[lanes], quads[lanes];
#pragma GCC unroll 8
  for (int i = 0; i < lanes; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  // In each quarter of quads[4 · k + j]: column 4 · quarter + j of rows 4 · k …
#pragma GCC unroll 4
  for (int i = 0; i < lanes; i += 4) {
    quads[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    quads[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    quads[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    quads[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    const __m512i evenUpper = _mm512_shuffle_i32x4(quads[j], quads[j + 4], 0x88),
                  oddUpper = _mm512_shuffle_i32x4(quads[j], quads[j + 4], 0xdd),
                  evenLower = _mm512_shuffle_i32x4(quads[j + 8], quads[j + 12], 0x88),
                  oddLower = _mm512_shuffle_i32x4(quads[j + 8], quads[j + 12], 0xdd);
    rows[j] = _mm512_shuffle_i32x4(evenUpper, evenLower, 0x88);
    rows[j + 4] = _mm512_shuffle_i32x4(oddUpper, oddLower, 0x88);
    rows[j + 8] = _mm512_shuffle_i32x4(evenUpper, evenLower, 0xdd);
    rows[j + 12] = _mm512_shuffle_i32x4(oddUpper, oddLower, 0xdd);
  }
}

template <ProductKind kind>
PARAKEET_AVX512 void packColumnsOf(const float* const* rows, int size, int groups, uint32_t* packed) {
  for (int column = 0; column < tileColumns; column += lanes) {
    for (int group = 0; group < groups; group += lanes) {
      const int from = group * groupSize(kind);
      __m512i words[lanes];
#pragma GCC unroll 16
      for (int i = 0; i < lanes; i++) {
        const float* row = rows[column + i];
        words[i] = row == nullptr ? _mm512_setzero_si512()
                                  : groupsOf<kind>(size - from, [&](int at, __mmask16 mask) PARAKEET_AVX512_LAMBDA {
                                      return _mm512_maskz_loadu_ps(mask, row + from + at);
                                    });
      }
      transpose(words);
      const int some = std::min(lanes, groups - group);
      for (int g = 0; g < some; g++)
        _mm512_storeu_si512(packed + static_cast<ptrdiff_t>(group + g) * tileColumns + column, words[g]);
    }
  }
}

struct Inner {
  const float* const* rows;
  int count, first, size, groups;
};

template <ProductKind kind>
PARAKEET_AVX512 void packInnerOf(const Inner& inner, uint32_t* packed) {
  for (int group = 0; group < inner.groups; group++, packed += tileColumns) {
    for (int column = 0; column < tileColumns; column += lanes) {
      const __mmask16 mask = firstLanes(inner.size - column);
      const auto row = [&](int index) PARAKEET_AVX512_LAMBDA {
        return index < inner.count ? _mm512_maskz_loadu_ps(mask, inner.rows[index] + inner.first + column)
                                   : _mm512_setzero_ps();
      };
      const int index = group * groupSize(kind);
      __m512i words = _mm512_castps_si512(row(index));
      if constexpr (kind == ProductKind::bfloat16) {
        const auto narrow = [&](int at)
                                PARAKEET_AVX512 { return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(row(at))); };
        words = _mm512_or_si512(narrow(index), _mm512_slli_epi32(narrow(index + 1), 16));
      }
      _mm512_storeu_si512(packed + column, words);
    }
  }
}

template <ProductKind kind>
PARAKEET_AVX512 void biasedRowOf(const float* x, const float* bias, float scale, int size, int groups, uint32_t* y) {
  const __m512 factor = _mm512_set1_ps(scale);
  for (int group = 0; group < groups; group += lanes) {
    const int from = group * groupSize(kind);
    const __m512i words = groupsOf<kind>(size - from, [&](int at, __mmask16 mask) PARAKEET_AVX512_LAMBDA {
      const __m512 sum =
          _mm512_add_ps(_mm512_maskz_loadu_ps(mask, x + from + at), _mm512_maskz_loadu_ps(mask, bias + from + at));
      return _mm512_mul_ps(sum, factor);
    });
    _mm512_mask_storeu_epi32(y + group, firstLanes(groups - group), words);
  }
}

template <ProductKind kind>
PARAKEET_AVX512 float softmaxRowOf(float* content, const float* distance, int begin, int end, int groups,
                                   uint32_t* weights) {
  const int count = end - begin;
  content += begin;
  distance += begin;
  __m512 peaks = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
  for (int at = 0; at < count; at += lanes) {
    const __mmask16 mask = firstLanes(count - at);
    const __m512 score =
        _mm512_add_ps(_mm512_maskz_loadu_ps(mask, content + at), _mm512_maskz_loadu_ps(mask, distance + at));
    _mm512_mask_storeu_ps(content + at, mask, score);
    peaks = _mm512_mask_max_ps(peaks, mask, score, peaks);
  }
  const __m512 peak = _mm512_set1_ps(_mm512_reduce_max_ps(peaks)), toBase = _mm512_set1_ps(1.44269504f);
  __m512 sums = _mm512_setzero_ps();
  std::memset(weights, 0, static_cast<size_t>(groups) * sizeof *weights);
  for (int at = 0; at < count; at += lanes) {
    const __mmask16 mask = firstLanes(count - at);
    const __m512 score = _mm512_maskz_loadu_ps(mask, content + at);
    const __m512 weight = _mm512_maskz_mov_ps(mask, powerOfTwo(_mm512_mul_ps(_mm512_sub_ps(score, peak), toBase)));
    sums = _mm512_add_ps(sums, weight);
    if constexpr (kind == ProductKind::float32)
      _mm512_mask_storeu_ps(reinterpret_cast<float*>(weights) + begin + at, mask, weight);
    else
      _mm256_mask_storeu_epi16(reinterpret_cast<uint16_t*>(weights) + begin + at, mask,
                               (__m256i)_mm512_cvtneps_pbh(weight));
  }
  return 1.0f / _mm512_reduce_add_ps(sums);
}

}  // namespace

void packColumns(ProductKind kind, const float* const* rows, int size, int groups, void* packed) {
  auto* words = static_cast<uint32_t*>(packed);
  kind == ProductKind::float32 ? packColumnsOf<ProductKind::float32>(rows, size, groups, words)
                               : packColumnsOf<ProductKind::bfloat16>(rows, size, groups, words);
}

void packInner(ProductKind kind, const float* const* rows, int count, int first, int size, int groups, void* packed) {
  auto* words = static_cast<uint32_t*>(packed);
  const Inner inner{rows, count, first, size - first, groups};
  kind == ProductKind::float32 ? packInnerOf<ProductKind::float32>(inner, words)
                               : packInnerOf<ProductKind::bfloat16>(inner, words);
}

void biasedRow(ProductKind kind, const float* x, const float* bias, float scale, int size, int groups, void* y) {
  auto* words = static_cast<uint32_t*>(y);
  kind == ProductKind::float32 ? biasedRowOf<ProductKind::float32>(x, bias, scale, size, groups, words)
                               : biasedRowOf<ProductKind::bfloat16>(x, bias, scale, size, groups, words);
}

float softmaxRow(ProductKind kind, float* content, const float* distance, int begin, int end, int groups,
                 void* weights) {
  auto* words = static_cast<uint32_t*>(weights);
  return kind == ProductKind::float32
             ? softmaxRowOf<ProductKind::float32>(content, distance, begin, end, groups, words)
             : softmaxRowOf<ProductKind::bfloat16>(content, distance, begin, end, groups, words);
}

}  // namespace parakeet::ops::avx512

#endif
