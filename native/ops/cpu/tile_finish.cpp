#include "ops/cpu/tile_finish.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#include <algorithm>

namespace parakeet::ops {
namespace {

#define PARAKEET_AVX512 __attribute__((target("avx512f,avx512dq")))
constexpr int lanes = 16;

// v / (1 + e^(−x)). The exponential is 2^n · 2^f with |f| <= 1/2; the polynomial is the one of its degree that strays
// least from 2^f, by 9e-8 of it.
PARAKEET_AVX512 __attribute__((always_inline)) inline __m512 timesSigmoid(__m512 v, __m512 x) {
  __m512 t = _mm512_mul_ps(x, _mm512_set1_ps(-1.44269504f));
  // The second operand is the one that may be NaN: it stays so.
  t = _mm512_max_ps(_mm512_set1_ps(-126), _mm512_min_ps(_mm512_set1_ps(126), t));
  const __m512 rounding = _mm512_set1_ps(12582912.0f);  // 1.5 · 2²³: adding it rounds to whole numbers
  const __m512 shifted = _mm512_add_ps(t, rounding);
  const __m512 f = _mm512_sub_ps(t, _mm512_sub_ps(shifted, rounding));
  __m512 p = _mm512_set1_ps(1.32647273e-3f);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.67151299e-3f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.55073358e-2f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.40222424e-1f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.93147004e-1f));
  const __m512 one = _mm512_set1_ps(1.0f);
  p = _mm512_fmadd_ps(p, f, one);
  // The whole number stands in the lowest bits; in the exponent's place it is the power of two.
  const __m512i power = _mm512_slli_epi32(_mm512_castps_si512(shifted), 23);
  const __m512 scale = _mm512_castsi512_ps(_mm512_add_epi32(power, _mm512_castps_si512(one)));
  return _mm512_div_ps(v, _mm512_fmadd_ps(p, scale, one));
}

__attribute__((always_inline)) inline __mmask16 maskOf(int columns) {
  return static_cast<__mmask16>(columns >= lanes ? 0xffff : (1u << std::max(0, columns)) - 1);
}

// Sixteen columns of the product, with their bias.
template <bool bytes>
struct Columns {
  __m512 bias, scale, sum;

  PARAKEET_AVX512 Columns(const TileEnd& end, int at) : bias(_mm512_loadu_ps(end.bias + at)) {
    if constexpr (bytes) {
      scale = _mm512_loadu_ps(end.columnScale + at);
      sum = _mm512_cvtepi32_ps(_mm512_loadu_si512(end.columnSum + at));
    }
  }

  PARAKEET_AVX512 __attribute__((always_inline)) __m512 value(const float* sums, const QuantizedRow* row) const {
    const __m512 raw = _mm512_loadu_ps(sums);
    if constexpr (!bytes) return _mm512_add_ps(raw, bias);
    // Whole numbers below 2²⁴, mostly: then exact.
    const __m512 zero = _mm512_set1_ps(static_cast<float>(row->zero));
    const __m512 whole = _mm512_fnmadd_ps(zero, sum, _mm512_cvtepi32_ps(_mm512_castps_si512(raw)));
    return _mm512_fmadd_ps(_mm512_mul_ps(_mm512_set1_ps(row->scale), scale), whole, bias);
  }
};

// Sixteen columns of all rows.
template <Activation activation, bool bytes>
PARAKEET_AVX512 __attribute__((always_inline)) inline void finishColumns(const float* accumulator, const TileEnd& end,
                                                                         int at) {
  const Columns<bytes> own(end, at), gates(end, activation == Activation::glu ? end.gate + at : at);
  const __mmask16 mask = maskOf(end.columns - at);
  const __m512 scale = _mm512_set1_ps(end.scale);
  for (int r = 0; r < end.rows; r++) {
    const float* sums = accumulator + static_cast<size_t>(r) * end.ldAccumulator + at;
    const QuantizedRow* row = bytes ? end.quantized + r : nullptr;
    __m512 v = own.value(sums, row);
    if constexpr (activation == Activation::relu) v = _mm512_max_ps(_mm512_setzero_ps(), v);  // NaN stays NaN
    if constexpr (activation == Activation::silu) v = timesSigmoid(v, v);
    if constexpr (activation == Activation::glu) v = timesSigmoid(v, gates.value(sums + end.gate, row));
    const size_t to = r * end.ldOutput + at;
    v = end.residual ? _mm512_fmadd_ps(v, scale, _mm512_maskz_loadu_ps(mask, end.residual + to))
                     : _mm512_mul_ps(v, scale);
    _mm512_mask_storeu_ps(end.output + to, mask, v);
  }
}

// `end` is a copy: what it holds stays in registers, whatever is written.
template <Activation activation, bool bytes>
PARAKEET_AVX512 void finishRows(const float* accumulator, TileEnd end) {
  for (int at = 0; at < end.columns; at += lanes) finishColumns<activation, bytes>(accumulator, end, at);
}

template <Activation activation>
void finishRowsOf(const float* accumulator, const TileEnd& end) {
  end.quantized ? finishRows<activation, true>(accumulator, end) : finishRows<activation, false>(accumulator, end);
}

}  // namespace

void finishTileAvx512(const void* accumulator, const TileEnd& end) {
  const auto* sums = static_cast<const float*>(accumulator);
  switch (end.activation) {
    case Activation::none:
      return finishRowsOf<Activation::none>(sums, end);
    case Activation::relu:
      return finishRowsOf<Activation::relu>(sums, end);
    case Activation::silu:
      return finishRowsOf<Activation::silu>(sums, end);
    case Activation::glu:
      return finishRowsOf<Activation::glu>(sums, end);
  }
}

}  // namespace parakeet::ops

#else

namespace parakeet::ops {

void finishTileAvx512(const void* accumulator, const TileEnd& end) { finishTile(accumulator, end); }

}  // namespace parakeet::ops

#endif
