#if defined(PARAKEET_CPU_KERNELS) && defined(__x86_64__)

#include "ops/cpu/avx512.h"
#include "ops/cpu/tile_rows_x86.h"

namespace parakeet::ops::avx512 {
namespace {

// v / (1 + e^(−x)); if not `exact`, to 1e-4, without the division, which takes as long as all else.
template <bool exact>
PARAKEET_AVX512_INLINE __m512 timesSigmoid(__m512 v, __m512 x) {
  const __m512 t = _mm512_mul_ps(x, _mm512_set1_ps(-1.44269504f)), one = _mm512_set1_ps(1.0f);
  if constexpr (exact) return _mm512_div_ps(v, _mm512_add_ps(powerOfTwo(t), one));
  return _mm512_mul_ps(v, _mm512_rcp14_ps(_mm512_add_ps(roughPowerOfTwo(t), one)));
}

// Sixteen columns of the product.
template <bool bytes>
struct Columns {
  __m512 bias, scale, sum;

  PARAKEET_AVX512 Columns(const TileEnd& end, int at) : bias(_mm512_loadu_ps(end.bias + at)) {
    if constexpr (bytes) {
      scale = _mm512_loadu_ps(end.columnScale + at);
      sum = _mm512_cvtepi32_ps(_mm512_loadu_si512(end.columnSum + at));
    }
  }

  PARAKEET_AVX512_INLINE __m512 value(const float* sums, const QuantizedRow* row) const {
    const __m512 raw = _mm512_loadu_ps(sums);
    if constexpr (!bytes) return _mm512_add_ps(raw, bias);
    // Whole numbers below 2²⁴, mostly: then exact.
    const __m512 zero = _mm512_set1_ps(static_cast<float>(row->zero));
    const __m512 whole = _mm512_fnmadd_ps(zero, sum, _mm512_cvtepi32_ps(_mm512_castps_si512(raw)));
    return _mm512_fmadd_ps(_mm512_mul_ps(_mm512_set1_ps(row->scale), scale), whole, bias);
  }
};

// What is done with a sum before it is written.
template <Activation activation, bool exact>
PARAKEET_AVX512_INLINE __m512 activated(__m512 v) {
  if constexpr (activation == Activation::relu) return _mm512_max_ps(_mm512_setzero_ps(), v);  // NaN stays NaN
  if constexpr (activation == Activation::silu) return timesSigmoid<exact>(v, v);
  return v;
}

// `end` is a copy: what it holds stays in registers, whatever is written.
template <Activation activation, bool bytes>
PARAKEET_AVX512 void finishRows(const float* sums, TileEnd end) {
  constexpr bool gated = activation == Activation::glu;
  // With a gate, the second register's columns are the gates of the first.
  const Columns<bytes> first(end, 0), second(end, gated ? end.gate : lanes);
  const __mmask16 firstMask = firstLanes(end.columns), secondMask = firstLanes(end.columns - lanes);
  const __m512 scale = _mm512_set1_ps(end.scale);
  const auto write = [&](size_t at, __mmask16 mask, __m512 v) PARAKEET_AVX512_LAMBDA {
    v = end.residual ? _mm512_fmadd_ps(v, scale, _mm512_maskz_loadu_ps(mask, end.residual + at))
                     : _mm512_mul_ps(v, scale);
    _mm512_mask_storeu_ps(end.output + at, mask, v);
  };
  for (int r = 0; r < end.rows; r++, sums += end.ldAccumulator) {
    const QuantizedRow* row = bytes ? end.quantized + r : nullptr;
    const __m512 left = first.value(sums, row), right = second.value(sums + (gated ? end.gate : lanes), row);
    const size_t at = r * end.ldOutput;
    if constexpr (gated) {
      write(at, firstMask, timesSigmoid<!bytes>(left, right));
    } else {
      write(at, firstMask, activated<activation, !bytes>(left));
      write(at + lanes, secondMask, activated<activation, !bytes>(right));
    }
  }
}

}  // namespace

void finishProduct(const void* accumulator, const TileEnd& end) {
  const auto* sums = static_cast<const float*>(accumulator);
  withActivation(end.activation, [&]<Activation activation>() {
    end.quantized ? finishRows<activation, true>(sums, end) : finishRows<activation, false>(sums, end);
  });
}

namespace {

template <bool bytes>
PARAKEET_AVX512 void siluRows(const float* sums, const TileEnd& end, uint16_t* output, size_t stride) {
  const Columns<bytes> first(end, 0), second(end, lanes);
  const auto mask = static_cast<__mmask32>(firstLanes(end.columns) | firstLanes(end.columns - lanes) << lanes);
  const QuantizedRow* row = end.quantized;
  const int rows = end.rows, next = end.ldAccumulator;
  for (int r = 0; r < rows; r++, sums += next, output += stride) {
    const __m512 left = first.value(sums, row), right = second.value(sums + lanes, row);
    const __m512bh both = _mm512_cvtne2ps_pbh(timesSigmoid<false>(right, right), timesSigmoid<false>(left, left));
    _mm512_mask_storeu_epi16(output, mask, (__m512i)both);
    if constexpr (bytes) row++;
  }
}

}  // namespace

void siluProduct(const void* accumulator, const TileEnd& end, uint16_t* output, size_t stride) {
  const auto* sums = static_cast<const float*>(accumulator);
  end.quantized ? siluRows<true>(sums, end, output, stride) : siluRows<false>(sums, end, output, stride);
}

}  // namespace parakeet::ops::avx512

#endif
