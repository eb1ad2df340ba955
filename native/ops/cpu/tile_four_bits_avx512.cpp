#if defined(PARAKEET_CPU_KERNELS) && defined(__x86_64__)

#include <array>
#include <cstring>
#include <utility>

#include "ops/cpu/avx512.h"
#include "ops/cpu/tile_four_bits.h"
#include "ops/cpu/vector_tiles.h"

namespace parakeet::ops::avx512 {
namespace {

constexpr int vectors = tileColumns / lanes, groups = fourBitValues / 4;

// Unrolled, as the loops of tile_kernel_avx512.cpp. Memory is read while it is unpacked and multiplied: done one after
// the other, a step of one stream takes a third longer.
template <int rows, bool keep>
PARAKEET_AVX512 void multiplyRows(const TileProduct& product) {
  auto* result = static_cast<int32_t*>(product.sums);
  __m512i sums[rows][vectors];
#pragma GCC unroll 8
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++)
      sums[i][j] = product.added
                       ? _mm512_loadu_si512(result + i * product.sumsStride + static_cast<ptrdiff_t>(lanes) * j)
                       : _mm512_setzero_si512();
  }
  // A column's byte to the four bytes of its group, or to both words of it with zeros above.
  const __m512i toBytes = _mm512_setr_epi32(0x00000000, 0x01010101, 0x02020202, 0x03030303, 0x04040404, 0x05050505,
                                            0x06060606, 0x07070707, 0x08080808, 0x09090909, 0x0a0a0a0a, 0x0b0b0b0b,
                                            0x0c0c0c0c, 0x0d0d0d0d, 0x0e0e0e0e, 0x0f0f0f0f),
                toWords = _mm512_or_si512(toBytes, _mm512_set1_epi16(static_cast<int16_t>(0x8000)));
  const __m512i below = _mm512_set1_epi8(0x0f);
  const auto* block = static_cast<const uint8_t*>(product.weights);
  auto* kept = static_cast<int8_t*>(product.unpacked);
  const char* x = static_cast<const char*>(product.activations);
  const size_t stride = product.activationsStride;
  const char* next = static_cast<const char*>(product.next);
  const char* nextEnd = next;
  for (int group = 0; group < product.groups; group += groups) {
    const auto sixteen = [&](int at) PARAKEET_AVX512_LAMBDA {
      return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block + at)));
    };
    // Codes above are multiplied where they stand, sixteen times as large: the high half of the product of words is
    // what their bytes are, because a byte's product does not leave it.
    const __m512i ratios = _mm512_shuffle_epi8(sixteen(0), toWords),
                  ratiosAbove = _mm512_slli_epi16(_mm512_shuffle_epi8(sixteen(lanes), toWords), 12),
                  zeros = _mm512_shuffle_epi8(sixteen(tileColumns), toBytes),
                  zerosAbove = _mm512_shuffle_epi8(sixteen(tileColumns + lanes), toBytes);
    const uint8_t* codes = block + static_cast<ptrdiff_t>(2) * tileColumns;
#pragma GCC unroll 4
    for (int step = 0; step < groups; step++) {
      const __m512i both = _mm512_loadu_si512(codes + static_cast<ptrdiff_t>(64) * step);
      const __m512i weights[vectors] = {
          _mm512_sub_epi8(_mm512_mullo_epi16(_mm512_and_si512(both, below), ratios), zeros),
          _mm512_sub_epi8(_mm512_mulhi_epu16(_mm512_andnot_si512(below, both), ratiosAbove), zerosAbove)};
      if constexpr (keep) {
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
          _mm512_store_si512(kept + static_cast<ptrdiff_t>(64) * (step * vectors + j), weights[j]);
      }
#pragma GCC unroll 8
      for (int i = 0; i < rows; i++) {
        int four;
        std::memcpy(&four, x + i * stride + 4 * step, sizeof four);
        const __m512i activation = _mm512_set1_epi32(four);
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++) sums[i][j] = _mm512_dpbusd_epi32(sums[i][j], activation, weights[j]);
      }
    }
    for (nextEnd += 64 * product.nextLines; next < nextEnd; next += 64) _mm_prefetch(next, _MM_HINT_T1);
    x += 4 * groups;
    block += fourBitBlock;
    if constexpr (keep) kept += 64 * vectors * groups;
  }
#pragma GCC unroll 8
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++)
      _mm512_storeu_si512(result + i * product.sumsStride + static_cast<ptrdiff_t>(lanes) * j, sums[i][j]);
  }
}

using Function = void (*)(const TileProduct&);

template <bool keep, size_t... i>
constexpr std::array<Function, fourBitRows> makeTable(std::index_sequence<i...>) {
  return {multiplyRows<i + 1, keep>...};
}
constexpr auto once = makeTable<false>(std::make_index_sequence<fourBitRows>());
constexpr auto keeping = makeTable<true>(std::make_index_sequence<fourBitRows>());

}  // namespace

void multiplyFourBits(const TileProduct& product) { (product.unpacked ? keeping : once)[product.rows - 1](product); }

}  // namespace parakeet::ops::avx512

#endif
