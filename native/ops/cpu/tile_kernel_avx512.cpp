#if defined(PARAKEET_CPU_KERNELS) && defined(__x86_64__)

#include <array>
#include <cstring>
#include <utility>

#include "ops/cpu/avx512.h"
#include "ops/cpu/vector_tiles.h"

namespace parakeet::ops::avx512 {
namespace {

constexpr int vectors = tileColumns / lanes;

// sum + x · w, groups of the kind. Sums are kept as float; those of bytes hold the bits of int32.
template <ProductKind kind>
PARAKEET_AVX512_INLINE __m512 multiplyAdd(__m512 sum, __m512i x, __m512i w) {
  if constexpr (kind == ProductKind::bfloat16) return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)w);
  if constexpr (kind == ProductKind::bytes)
    return _mm512_castsi512_ps(_mm512_dpbusd_epi32(_mm512_castps_si512(sum), x, w));
  return _mm512_fmadd_ps(_mm512_castsi512_ps(x), _mm512_castsi512_ps(w), sum);
}

// Unrolled, the loops over rows and vectors leave nothing but loads and products.
template <ProductKind kind, int rows>
PARAKEET_AVX512 void multiplyRows(const TileProduct& product) {
  auto* result = static_cast<float*>(product.sums);
  __m512 sums[rows][vectors];
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++)
      sums[i][j] = product.added ? _mm512_loadu_ps(result + i * product.sumsStride + static_cast<ptrdiff_t>(lanes) * j)
                                 : _mm512_setzero_ps();
  }
  const char* x = static_cast<const char*>(product.activations);
  const char* w = static_cast<const char*>(product.weights);
  const size_t stride = product.activationsStride;
  const char* next = static_cast<const char*>(product.next);
  const char* nextEnd = next;
  for (int group = 0; group < product.groups; group += alignment) {
#pragma GCC unroll 4
    for (int step = 0; step < alignment; step++) {
      __m512i weights[vectors];
#pragma GCC unroll 2
      for (int j = 0; j < vectors; j++) weights[j] = _mm512_loadu_si512(w + 64 * (step * vectors + j));
#pragma GCC unroll 12
      for (int i = 0; i < rows; i++) {
        int group;
        std::memcpy(&group, x + i * stride + 4 * step, sizeof group);
        const __m512i activation = _mm512_set1_epi32(group);
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++) sums[i][j] = multiplyAdd<kind>(sums[i][j], activation, weights[j]);
      }
    }
    for (nextEnd += 64 * product.nextLines; next < nextEnd; next += 64) _mm_prefetch(next, _MM_HINT_T1);
    x += 4 * alignment;
    w += 64 * vectors * alignment;
  }
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++)
      _mm512_storeu_ps(result + i * product.sumsStride + static_cast<ptrdiff_t>(lanes) * j, sums[i][j]);
  }
}

using Function = void (*)(const TileProduct&);

template <size_t... i>
constexpr std::array<std::array<Function, tileRows>, 3> makeTable(std::index_sequence<i...>) {
  return {{{multiplyRows<ProductKind::float32, i + 1>...},
           {multiplyRows<ProductKind::bfloat16, i + 1>...},
           {multiplyRows<ProductKind::bytes, i + 1>...}}};
}
constexpr auto table = makeTable(std::make_index_sequence<tileRows>());

}  // namespace

void multiplyTile(ProductKind kind, const TileProduct& product) {
  table[static_cast<size_t>(kind)][product.rows - 1](product);
}

}  // namespace parakeet::ops::avx512

#endif
