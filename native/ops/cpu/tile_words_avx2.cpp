#if defined(PARAKEET_CPU_KERNELS) && defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <utility>

#include "ops/cpu/tile_rows_x86.h"
#include "ops/cpu/vector_tiles.h"

// Not PARAKEET_AVX2: a compiler makes one instruction of AVX-VNNI of a product of words and a sum.
#define PARAKEET_AVX2_WORDS __attribute__((target("avx2")))

namespace parakeet::ops::avx2 {
namespace {

// Of 32 bits. The columns are taken in halves: with two registers a row, six rows leave four of 16 for weights, an
// activation and a product.
constexpr int lanes = 8, vectors = 2, halfColumns = vectors * lanes, halves = tileColumns / halfColumns;

// sums + activation · weights. Intrinsics do not say this: of whole numbers compilers add products first, some at a
// time, and need more registers for them than there are.
PARAKEET_AVX2_WORDS __attribute__((always_inline)) inline void addProducts(__m256i* sums, const int32_t& activation,
                                                                           const __m256i* weights) {
  __m256i words, products;
  asm("vpbroadcastd %[activation], %[words]\n\t"
      "vpmaddwd %[first], %[words], %[products]\n\t"
      "vpmaddwd %[second], %[words], %[words]\n\t"
      "vpaddd %[products], %[sum], %[sum]\n\t"
      "vpaddd %[words], %[next], %[next]"
      : [words] "=&x"(words), [products] "=&x"(products), [sum] "+&x"(sums[0]), [next] "+&x"(sums[1])
      : [activation] "m"(activation), [first] "x"(weights[0]), [second] "x"(weights[1]));
}

// Sixteen weights, kept as words or as bytes.
PARAKEET_AVX2_WORDS __attribute__((always_inline)) inline __m256i weightsAt(const int16_t* words) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words));
}
PARAKEET_AVX2_WORDS __attribute__((always_inline)) inline __m256i weightsAt(const int8_t* bytes) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

template <class Weight, int rows>
PARAKEET_AVX2_WORDS void multiplyHalf(const TileProduct& product, ptrdiff_t first, const char* next, size_t lines) {
  __m256i sums[rows][vectors];
  auto* result = static_cast<int32_t*>(product.sums) + first;
#pragma GCC unroll 6
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++) {
      const auto* from = reinterpret_cast<const __m256i*>(result + i * product.sumsStride + j * lanes);
      sums[i][j] = product.added ? _mm256_loadu_si256(from) : _mm256_setzero_si256();
    }
  }
  const auto* x = static_cast<const char*>(product.activations);
  const Weight* w = static_cast<const Weight*>(product.weights) + 2 * first;
  auto stride = static_cast<ptrdiff_t>(product.activationsStride);
  // Two pointers and a stride reach six rows: more addresses would not stay in registers.
  const char* lower = x + (rows > 3 ? 3 * stride : 0);
  const char* nextEnd = next;
  for (int group = 0; group < product.groups; group += alignment) {
#pragma GCC unroll 4
    for (int step = 0; step < alignment; step++) {
      __m256i weights[vectors];
#pragma GCC unroll 2
      for (int j = 0; j < vectors; j++)
        weights[j] = weightsAt(w + static_cast<ptrdiff_t>(2) * (step * tileColumns + j * lanes));
#pragma GCC unroll 6
      for (int i = 0; i < rows; i++) {
        const char* at = (i < 3 ? x : lower) + i % 3 * stride + step * sizeof(int32_t);
        addProducts(sums[i], *reinterpret_cast<const int32_t*>(at), weights);
      }
      // Where they point is not for the compiler to know: it would keep an address for each row and step.
      asm("" : "+r"(x), "+r"(lower), "+r"(stride));
    }
    for (nextEnd += 64 * lines; next < nextEnd; next += 64) _mm_prefetch(next, _MM_HINT_T1);
    x += alignment * sizeof(int32_t);
    lower += alignment * sizeof(int32_t);
    w += static_cast<ptrdiff_t>(2) * alignment * tileColumns;
  }
#pragma GCC unroll 6
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(result + i * product.sumsStride + j * lanes), sums[i][j]);
  }
}

// Each half fetches its part of what is wanted: lines that are asked for evenly do not wait for each other.
template <class Weight, int rows>
void multiplyRows(const TileProduct& product) {
  const auto* next = static_cast<const char*>(product.next);
  const int lines = (product.nextLines + halves - 1) / halves, steps = product.groups / alignment;
  for (int half = 0, rest = product.nextLines; half < halves; half++, rest -= lines) {
    multiplyHalf<Weight, rows>(product, static_cast<ptrdiff_t>(half) * halfColumns, next, std::min(lines, rest));
    next += static_cast<ptrdiff_t>(64) * lines * steps;
  }
}

using Function = void (*)(const TileProduct&);

template <class Weight, size_t... i>
constexpr std::array<Function, wordRows> makeTable(std::index_sequence<i...>) {
  return {multiplyRows<Weight, i + 1>...};
}
constexpr auto ofWords = makeTable<int16_t>(std::make_index_sequence<wordRows>()),
               ofBytes = makeTable<int8_t>(std::make_index_sequence<wordRows>());

}  // namespace

void multiplyWords(const TileProduct& product) { (product.narrow ? ofBytes : ofWords)[product.rows - 1](product); }

PARAKEET_AVX2_WORDS void bytesToWords(const int8_t* bytes, size_t count, int16_t* words) {
  constexpr size_t some = 16;
  for (size_t at = 0; at < count; at += some) {
    const __m128i narrow = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + at));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + at), _mm256_cvtepi8_epi16(narrow));
  }
}

}  // namespace parakeet::ops::avx2

#endif
