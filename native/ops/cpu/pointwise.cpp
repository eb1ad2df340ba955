#include "ops/cpu/pointwise.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "ops/cpu/vector.h"

namespace parakeet::ops {
namespace {

template <class V>
PARAKEET_INLINE float sumOf(const float* x, int count) {
  typename V::Floats total{};
  pieces<V>(count, [&](int at, int n) PARAKEET_LAMBDA { total += V::load(x + at, n); });
  return V::sum(total);
}

template <class V>
PARAKEET_INLINE void normalizeRowBody(const float* x, const float* weight, const float* bias, float* y, int channels) {
  const float mean = sumOf<V>(x, channels) / static_cast<float>(channels);
  typename V::Floats squares{};
  int c = 0;
  for (; c + V::lanes <= channels; c += V::lanes) {
    const typename V::Floats deviation = V::load(x + c) - mean;
    squares += deviation * deviation;
  }
  float total = V::sum(squares);
  for (; c < channels; c++) total += (x[c] - mean) * (x[c] - mean);
  const float scale = 1.0f / std::sqrt(total / static_cast<float>(channels) + 1e-5f);
  pieces<V>(channels, [&](int at, int n) PARAKEET_LAMBDA {
    V::store(y + at, (V::load(x + at, n) - mean) * scale * V::load(weight + at, n) + V::load(bias + at, n), n);
  });
}
PARAKEET_VERSIONS(normalizeRow, (const float* x, const float* weight, const float* bias, float* y, int channels),
                  (x, weight, bias, y, channels))

template <class V>
PARAKEET_INLINE void convolveRowBody(const float* x, const float* weight, const float* bias, float* y, int channels,
                                     int kernel) {
  pieces<V>(channels, [&](int at, int n) PARAKEET_LAMBDA {
    typename V::Floats total = V::load(bias + at, n);
    for (int k = 0; k < kernel; k++) {
      const ptrdiff_t row = static_cast<ptrdiff_t>(k) * channels + at;
      total += V::load(x + row, n) * V::load(weight + row, n);
    }
    V::store(y + at, total * V::sigmoid(total), n);
  });
}
PARAKEET_VERSIONS(convolveRow,
                  (const float* x, const float* weight, const float* bias, float* y, int channels, int kernel),
                  (x, weight, bias, y, channels, kernel))

template <class V>
PARAKEET_INLINE void softmaxBody(float* row, const float* add, int count) {
  typename V::Floats peaks = V::broadcast(row[0] + (add ? add[0] : 0.0f));
  pieces<V>(count, [&](int at, int n) PARAKEET_LAMBDA {
    typename V::Floats v = V::load(row + at, n);
    if (add) v += V::load(add + at, n);
    V::store(row + at, v, n);
    for (int k = n; k < V::lanes; k++) v[k] = peaks[k];
    peaks = V::largest(v, peaks);
  });
  float peak = peaks[0];
  for (int k = 1; k < V::lanes; k++) peak = peaks[k] > peak ? peaks[k] : peak;
  pieces<V>(count,
            [&](int at, int n) PARAKEET_LAMBDA { V::store(row + at, V::exponential(V::load(row + at, n) - peak), n); });
  const float inverse = 1.0f / sumOf<V>(row, count);
  pieces<V>(count, [&](int at, int n) PARAKEET_LAMBDA { V::store(row + at, V::load(row + at, n) * inverse, n); });
}
PARAKEET_VERSIONS(softmax, (float* row, const float* add, int count), (row, add, count))

struct RowEnd {
  const float *a, *bias, *residual;
  float* output;
  float scale;
  int columns;

  template <class V>
  PARAKEET_INLINE typename V::Floats value(int at, int n) const {
    return bias ? V::load(a + at, n) + V::load(bias + at, n) : V::load(a + at, n);
  }
  template <class V>
  PARAKEET_INLINE void put(typename V::Floats v, int at, int n) const {
    V::store(output + at, residual ? V::load(residual + at, n) + scale * v : scale * v, n);
  }
};

template <class V>
PARAKEET_INLINE void finishRowBody(const RowEnd& end, Activation activation) {
  switch (activation) {
    case Activation::none:
      pieces<V>(end.columns,
                [&](int at, int n) PARAKEET_LAMBDA { end.template put<V>(end.template value<V>(at, n), at, n); });
      break;
    case Activation::relu:
      pieces<V>(end.columns, [&](int at, int n) PARAKEET_LAMBDA {
        const typename V::Floats v = end.template value<V>(at, n);
        end.template put<V>(v < 0.0f ? typename V::Floats{} : v, at, n);
      });
      break;
    case Activation::silu:
      pieces<V>(end.columns, [&](int at, int n) PARAKEET_LAMBDA {
        const typename V::Floats v = end.template value<V>(at, n);
        end.template put<V>(v * V::sigmoid(v), at, n);
      });
      break;
    case Activation::glu: {
      const int half = end.columns / 2;
      pieces<V>(half, [&](int at, int n) PARAKEET_LAMBDA {
        end.template put<V>(end.template value<V>(at, n) * V::sigmoid(end.template value<V>(half + at, n)), at, n);
      });
      break;
    }
  }
}
PARAKEET_VERSIONS(finishRow, (const RowEnd& end, Activation activation), (end, activation))

template <class V>
PARAKEET_INLINE void quantizeRowBody(const float* x, uint8_t* q, QuantizedRow& row, int columns) {
  typename V::Floats lows{}, highs{};
  pieces<V>(columns, [&](int at, int n) PARAKEET_LAMBDA {
    const typename V::Floats v = V::load(x + at, n);  // zeros beyond the end: the range holds 0 anyway
    lows = V::smallest(v, lows);
    highs = V::largest(v, highs);
  });
  float low = 0, high = 0;
  for (int k = 0; k < V::lanes; k++) {
    low = lows[k] < low ? lows[k] : low;
    high = highs[k] > high ? highs[k] : high;
  }
  const float range = high - low;
  row.scale = range > 0 ? range / 255.0f : 1.0f;
  const float inverse = 1.0f / row.scale;
  row.zero = static_cast<int32_t>(std::lround(-low * inverse));
  const auto zero = static_cast<float>(row.zero);
  pieces<V>(columns, [&](int at, int n) PARAKEET_LAMBDA {
    typename V::Floats v = V::load(x + at, n) * inverse + zero;
    v = v < 0.0f ? typename V::Floats{} : v;
    v = v > 255.0f ? V::broadcast(255.0f) : v;
    const auto bytes = __builtin_convertvector(V::rounded(v), typename V::Bytes);
    std::memcpy(q + at, &bytes, n);
  });
}
PARAKEET_VERSIONS(quantizeRow, (const float* x, uint8_t* q, QuantizedRow& row, int columns), (x, q, row, columns))

template <class V>
PARAKEET_INLINE void dequantizeRowBody(const int32_t* sums, float* a, QuantizedRow row, const float* columnScale,
                                       const int32_t* columnSum, int columns) {
  for (int c = 0; c < columns; c++) {
    a[c] = row.scale * columnScale[c] * static_cast<float>(sums[c] - row.zero * columnSum[c]);
  }
}
PARAKEET_VERSIONS(dequantizeRow,
                  (const int32_t* sums, float* a, QuantizedRow row, const float* columnScale, const int32_t* columnSum,
                   int columns),
                  (sums, a, row, columnScale, columnSum, columns))

template <class V>
PARAKEET_INLINE void narrowBody(const float* x, uint16_t* y, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const auto bits = std::bit_cast<uint32_t>(x[i]);
    const uint32_t even = bits + 0x7fff + ((bits >> 16) & 1);
    y[i] = static_cast<uint16_t>((x[i] != x[i] ? bits | 0x400000 : even) >> 16);
  }
}
PARAKEET_VERSIONS(narrow, (const float* x, uint16_t* y, size_t count), (x, y, count))

template <class V>
PARAKEET_INLINE void widenBody(const uint16_t* x, float* y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = std::bit_cast<float>(static_cast<uint32_t>(x[i]) << 16);
}
PARAKEET_VERSIONS(widen, (const uint16_t* x, float* y, size_t count), (x, y, count))

template <class V>
PARAKEET_INLINE void widenBytesBody(const int8_t* x, const float* scale, float* y, int columns) {
  for (int c = 0; c < columns; c++) y[c] = scale[c] * static_cast<float>(x[c]);
}
PARAKEET_VERSIONS(widenBytes, (const int8_t* x, const float* scale, float* y, int columns), (x, scale, y, columns))

}  // namespace

void layerNormRows(const float* x, const float* weight, const float* bias, float* y, int rows, int channels) {
  for (int r = 0; r < rows; r++, x += channels, y += channels) normalizeRow(x, weight, bias, y, channels);
}

void depthwiseSilu(const float* x, const float* weight, const float* bias, float* y, int frames, int channels,
                   int kernel) {
  for (int t = 0; t < frames; t++, x += channels, y += channels) convolveRow(x, weight, bias, y, channels, kernel);
}

void softmaxRange(float* row, const float* add, int length, int begin, int end) {
  softmax(row + begin, add ? add + begin : nullptr, end - begin);
  std::fill(row, row + begin, 0.0f);
  std::fill(row + end, row + length, 0.0f);
}

void finishTile(const float* accumulator, const TileEnd& end) {
  for (int r = 0; r < end.rows; r++) {
    const size_t at = static_cast<size_t>(r) * end.ldOutput;
    finishRow({accumulator + static_cast<size_t>(r) * end.ldAccumulator, end.bias,
               end.residual ? end.residual + at : nullptr, end.output + at, end.scale, end.columns},
              end.activation);
  }
}

void quantizeRows(const float* x, uint8_t* q, QuantizedRow* row, int rows, int columns) {
  for (int r = 0; r < rows; r++, x += columns, q += columns) quantizeRow(x, q, row[r], columns);
}

void dequantizeTile(const int32_t* sums, float* accumulator, const QuantizedRow* row, const float* columnScale,
                    const int32_t* columnSum, int rows, int columns) {
  for (int r = 0; r < rows; r++, sums += columns, accumulator += columns)
    dequantizeRow(sums, accumulator, row[r], columnScale, columnSum, columns);
}

void toBfloat16(const float* x, uint16_t* y, size_t count) { narrow(x, y, count); }
void fromBfloat16(const uint16_t* x, float* y, size_t count) { widen(x, y, count); }

void fromBytes(const int8_t* x, const float* scale, float* y, int rows, int columns) {
  for (int r = 0; r < rows; r++, x += columns, y += columns) widenBytes(x, scale, y, columns);
}

}  // namespace parakeet::ops
