#if defined(PARAKEET_CPU_KERNELS) && defined(__x86_64__)

#include <array>
#include <utility>

#include "ops/cpu/avx2.h"
#include "ops/cpu/vector_tiles.h"

namespace parakeet::ops::avx2 {
namespace {

constexpr int vectors = tileColumns / lanes;

// sum + x · w, groups of the kind. Sums are kept as float; those of bytes hold the bits of int32.
template <ProductKind kind>
PARAKEET_AVX2_INLINE __m256 multiplyAdd(__m256 sum, __m256 x, __m256 w) {
  if constexpr (kind == ProductKind::bytes)
    return _mm256_castsi256_ps(
        _mm256_dpbusd_avx_epi32(_mm256_castps_si256(sum), _mm256_castps_si256(x), _mm256_castps_si256(w)));
  return _mm256_fmadd_ps(x, w, sum);
}

// Unrolled, the loops over rows and vectors leave nothing but loads and products.
template <ProductKind kind, int rows>
PARAKEET_AVX2 void multiplyRows(const TileProduct& product) {
  __m256 sums[rows][vectors];
  auto* result = static_cast<float*>(product.sums);
#pragma GCC unroll 3
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++)
      sums[i][j] = product.added ? _mm256_loadu_ps(result + i * product.sumsStride + static_cast<ptrdiff_t>(lanes) * j)
                                 : _mm256_setzero_ps();
  }
  // Groups of bytes are loaded as floats: the registers are the same.
  const auto* x = static_cast<const float*>(product.activations);
  const auto* w = static_cast<const float*>(product.weights);
  const size_t stride = product.activationsStride / sizeof *x;
  const char* next = static_cast<const char*>(product.next);
  const char* nextEnd = next;
  for (int group = 0; group < product.groups; group += alignment) {
#pragma GCC unroll 4
    for (int step = 0; step < alignment; step++) {
      __m256 activations[rows];
#pragma GCC unroll 3
      for (int i = 0; i < rows; i++) activations[i] = _mm256_broadcast_ss(x + i * stride + step);
#pragma GCC unroll 4
      for (int j = 0; j < vectors; j++) {
        const __m256 weights = _mm256_loadu_ps(w + static_cast<ptrdiff_t>(step) * tileColumns + j * lanes);
#pragma GCC unroll 3
        for (int i = 0; i < rows; i++) sums[i][j] = multiplyAdd<kind>(sums[i][j], activations[i], weights);
      }
    }
    for (nextEnd += 64 * product.nextLines; next < nextEnd; next += 64) _mm_prefetch(next, _MM_HINT_T1);
    x += alignment;
    w += alignment * tileColumns;
  }
#pragma GCC unroll 3
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++)
      _mm256_storeu_ps(result + i * product.sumsStride + static_cast<ptrdiff_t>(lanes) * j, sums[i][j]);
  }
}

using Function = void (*)(const TileProduct&);

template <ProductKind kind, size_t... i>
constexpr std::array<Function, tileRows> makeTable(std::index_sequence<i...>) {
  return {multiplyRows<kind, i + 1>...};
}
constexpr auto ofFloats = makeTable<ProductKind::float32>(std::make_index_sequence<tileRows>());
constexpr auto ofBytes = makeTable<ProductKind::bytes>(std::make_index_sequence<tileRows>());

}  // namespace

void multiplyTile(ProductKind kind, const TileProduct& product) {
  (kind == ProductKind::bytes ? ofBytes : ofFloats)[product.rows - 1](product);
}

}  // namespace parakeet::ops::avx2

#endif
