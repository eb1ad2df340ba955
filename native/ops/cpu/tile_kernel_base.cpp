#if defined(PARAKEET_CPU_KERNELS) && defined(__x86_64__)

#include "ops/cpu/onednn.h"
#include "ops/cpu/vector.h"
#include "ops/cpu/vector_tiles.h"

namespace parakeet::ops::base {
namespace {

// Registers of a row's sums: three rows of them, as many activations, weights and a product are 16.
constexpr int vectors = 4;

// In AVX the instruction itself: compilers put the eight together.
template <class V>
PARAKEET_INLINE typename V::Floats broadcast(const float* x) {
  if constexpr (V::lanes == 4) return V::broadcast(*x);
  typename V::Floats v;
  asm("vbroadcastss %1, %0" : "=x"(v) : "m"(*x));
  return v;
}

// Columns from `column` on, as many as `vectors` registers hold.
template <class V, int rows>
PARAKEET_INLINE void multiplyColumns(const TileProduct& product, int column) {
  typename V::Floats sums[rows][vectors];
  float* result = static_cast<float*>(product.sums) + column;
#pragma GCC unroll 3
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++)
      sums[i][j] = product.added ? V::load(result + i * product.sumsStride + j * V::lanes) : typename V::Floats{};
  }
  const auto* x = static_cast<const float*>(product.activations);
  const float* w = static_cast<const float*>(product.weights) + column;
  const size_t stride = product.activationsStride / sizeof *x;
  for (int group = 0; group < product.groups; group++, x++, w += tileColumns) {
    typename V::Floats activations[rows];
#pragma GCC unroll 3
    for (int i = 0; i < rows; i++) activations[i] = broadcast<V>(x + i * stride);
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++) {
      const typename V::Floats weights = V::load(w + j * V::lanes);
#pragma GCC unroll 3
      for (int i = 0; i < rows; i++) sums[i][j] += activations[i] * weights;
    }
  }
#pragma GCC unroll 3
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++) V::store(result + i * product.sumsStride + j * V::lanes, sums[i][j]);
  }
}

template <class V>
PARAKEET_INLINE void multiply(const TileProduct& product) {
  for (int column = 0; column < tileColumns; column += vectors * V::lanes) {
    switch (product.rows) {
      case 1:
        multiplyColumns<V, 1>(product, column);
        break;
      case 2:
        multiplyColumns<V, 2>(product, column);
        break;
      default:
        multiplyColumns<V, 3>(product, column);
    }
  }
}

__attribute__((target("avx"))) void multiplyAvx(const TileProduct& product) { multiply<Vector<8>>(product); }
void multiplySse(const TileProduct& product) { multiply<Vector<4>>(product); }

}  // namespace

void multiplyTile(ProductKind, const TileProduct& product) {
  static const auto multiply = hasAvx() ? multiplyAvx : multiplySse;
  multiply(product);
}

}  // namespace parakeet::ops::base

#endif
