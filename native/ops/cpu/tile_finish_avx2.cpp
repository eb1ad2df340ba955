#if defined(PARAKEET_CPU_KERNELS) && defined(__x86_64__)

#include "ops/cpu/avx2.h"
#include "ops/cpu/tile_rows_x86.h"

namespace parakeet::ops::avx2 {
namespace {

// v / (1 + e^(−x))
PARAKEET_AVX2_INLINE __m256 timesSigmoid(__m256 v, __m256 x) {
  const __m256 power = powerOfTwo(_mm256_mul_ps(x, _mm256_set1_ps(-1.44269504f)));
  return _mm256_div_ps(v, _mm256_add_ps(power, _mm256_set1_ps(1.0f)));
}

// Eight columns of the product.
template <bool bytes>
struct Columns {
  __m256 bias, scale, sum;

  PARAKEET_AVX2 Columns(const TileEnd& end, int at) : bias(_mm256_loadu_ps(end.bias + at)) {
    if constexpr (bytes) {
      scale = _mm256_loadu_ps(end.columnScale + at);
      sum = _mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(end.columnSum + at)));
    }
  }

  PARAKEET_AVX2_INLINE __m256 value(const float* sums, const QuantizedRow* row) const {
    const __m256 raw = _mm256_loadu_ps(sums);
    if constexpr (!bytes) return _mm256_add_ps(raw, bias);
    // Whole numbers below 2²⁴, mostly: then exact.
    const __m256 zero = _mm256_set1_ps(static_cast<float>(row->zero));
    const __m256 whole = _mm256_fnmadd_ps(zero, sum, _mm256_cvtepi32_ps(_mm256_castps_si256(raw)));
    return _mm256_fmadd_ps(_mm256_mul_ps(_mm256_set1_ps(row->scale), scale), whole, bias);
  }
};

// What is done with a sum, and with its gate's if it has one, before it is written.
template <Activation activation>
PARAKEET_AVX2_INLINE __m256 activated(__m256 v, __m256 gate) {
  if constexpr (activation == Activation::relu) return _mm256_max_ps(_mm256_setzero_ps(), v);  // NaN stays NaN
  if constexpr (activation == Activation::silu) return timesSigmoid(v, v);
  if constexpr (activation == Activation::glu) return timesSigmoid(v, gate);
  return v;
}

// `end` is a copy: what it holds stays in registers, whatever is written.
template <Activation activation, bool bytes>
PARAKEET_AVX2 void finishRows(const float* sums, TileEnd end) {
  const int gate = activation == Activation::glu ? end.gate : 0;
  const __m256 scale = _mm256_set1_ps(end.scale);
  for (int at = 0; at < end.columns; at += lanes) {
    const Columns<bytes> columns(end, at), gates(end, gate + at);
    const QuantizedRow* quantized = end.quantized;
    const float* row = sums + at;
    size_t to = at;
    for (int r = 0; r < end.rows; r++, row += end.ldAccumulator, to += end.ldOutput) {
      const __m256 v = activated<activation>(columns.value(row, quantized), gates.value(row + gate, quantized));
      _mm256_storeu_ps(end.output + to, end.residual ? _mm256_fmadd_ps(v, scale, _mm256_loadu_ps(end.residual + to))
                                                     : _mm256_mul_ps(v, scale));
      if constexpr (bytes) quantized++;
    }
  }
}

}  // namespace

void finishProduct(const void* accumulator, const TileEnd& end) {
  // The last columns of a matrix whose width no register divides.
  if (end.columns % lanes != 0) return finishTile(accumulator, end);
  const auto* sums = static_cast<const float*>(accumulator);
  withActivation(end.activation, [&]<Activation activation>() {
    end.quantized ? finishRows<activation, true>(sums, end) : finishRows<activation, false>(sums, end);
  });
}

}  // namespace parakeet::ops::avx2

#endif
