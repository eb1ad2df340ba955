#include "ops/cpu/tile_finish.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#include <algorithm>

namespace parakeet::ops {
namespace {

#define PARAKEET_AVX512 __attribute__((target("avx512f,avx512dq")))
constexpr int lanes = 16;

// v / (1 + e^(−x)). The exponential is 2^n · 2^f with |f| <= 1/2; 2^f is its Taylor polynomial, f^7 left out: 1e-7.
PARAKEET_AVX512 __attribute__((always_inline)) inline __m512 timesSigmoid(__m512 v, __m512 x) {
  const __m512 t = _mm512_mul_ps(x, _mm512_set1_ps(-1.44269504f));
  const __m512 f = _mm512_reduce_ps(t, 0);  // what rounding to a whole number leaves
  __m512 p = _mm512_set1_ps(1.54035304e-4f);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.33335581e-3f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.61812911e-3f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.55041087e-2f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.40226507e-1f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.93147181e-1f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f));
  const __m512 e = _mm512_scalef_ps(p, _mm512_sub_ps(t, f));  // infinite or zero beyond the range
  return _mm512_div_ps(v, _mm512_add_ps(e, _mm512_set1_ps(1.0f)));
}

__attribute__((always_inline)) inline __mmask16 maskOf(int columns) {
  return static_cast<__mmask16>(columns >= lanes ? 0xffff : (1u << std::max(0, columns)) - 1);
}

// Sixteen columns of the product, with their bias.
template <bool bytes>
struct Columns {
  __m512 bias, scale;
  __m512i sum;

  PARAKEET_AVX512 Columns(const TileEnd& end, int at) : bias(_mm512_loadu_ps(end.bias + at)) {
    if constexpr (bytes) {
      scale = _mm512_loadu_ps(end.columnScale + at);
      sum = _mm512_loadu_si512(end.columnSum + at);
    }
  }

  PARAKEET_AVX512 __attribute__((always_inline)) __m512 value(const float* sums, const QuantizedRow* row) const {
    const __m512 raw = _mm512_loadu_ps(sums);
    if constexpr (!bytes) return _mm512_add_ps(raw, bias);
    const __m512i zero = _mm512_mullo_epi32(_mm512_set1_epi32(row->zero), sum);
    const __m512 whole = _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_castps_si512(raw), zero));
    return _mm512_fmadd_ps(_mm512_mul_ps(_mm512_set1_ps(row->scale), scale), whole, bias);
  }
};

template <Activation activation, bool bytes>
PARAKEET_AVX512 void finishColumns(const float* accumulator, const TileEnd& end, int at) {
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

template <Activation activation>
PARAKEET_AVX512 void finishRows(const float* accumulator, const TileEnd& end) {
  for (int at = 0; at < end.columns; at += lanes) {
    end.quantized ? finishColumns<activation, true>(accumulator, end, at)
                  : finishColumns<activation, false>(accumulator, end, at);
  }
}

}  // namespace

void finishTileAvx512(const void* accumulator, const TileEnd& end) {
  const auto* sums = static_cast<const float*>(accumulator);
  switch (end.activation) {
    case Activation::none:
      return finishRows<Activation::none>(sums, end);
    case Activation::relu:
      return finishRows<Activation::relu>(sums, end);
    case Activation::silu:
      return finishRows<Activation::silu>(sums, end);
    case Activation::glu:
      return finishRows<Activation::glu>(sums, end);
  }
}

}  // namespace parakeet::ops

#else

namespace parakeet::ops {

void finishTileAvx512(const void* accumulator, const TileEnd& end) { finishTile(accumulator, end); }

}  // namespace parakeet::ops

#endif
