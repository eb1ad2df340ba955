#include "ops/cpu/pointwise.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "ops/cpu/vector.h"

namespace parakeet::ops {
namespace {

// The sum of `value(at, n)` over pieces of one register. In four partial sums: a single one would be a chain of
// dependent additions.
template <class V, class Value>
PARAKEET_INLINE float sumOf(int count, Value value) {
  typename V::Floats totals[4]{};
  int at = 0;
  for (; at + 4 * V::lanes <= count; at += 4 * V::lanes) {
    for (int k = 0; k < 4; k++) totals[k] += value(at + k * V::lanes, V::lanes);
  }
  pieces<V>(count - at, [&](int rest, int n) PARAKEET_LAMBDA { totals[0] += value(at + rest, n); });
  return V::sum((totals[0] + totals[1]) + (totals[2] + totals[3]));
}

template <class V>
PARAKEET_INLINE void normalizeRowBody(const float* x, const float* weight, const float* bias, float* y, int channels) {
  const float sum = sumOf<V>(channels, [&](int at, int n) PARAKEET_LAMBDA { return V::load(x + at, n); });
  const float mean = sum / static_cast<float>(channels);
  const float total = sumOf<V>(channels, [&](int at, int n) PARAKEET_LAMBDA {
    auto deviation = V::load(x + at, n) - mean;
    if (n < V::lanes) deviation = V::within(deviation, 0, 0, n, typename V::Floats{});
    return deviation * deviation;
  });
  const float scale = 1.0f / std::sqrt(total / static_cast<float>(channels) + 1e-5f);
  pieces<V>(channels, [&](int at, int n) PARAKEET_LAMBDA {
    V::store(y + at, (V::load(x + at, n) - mean) * scale * V::load(weight + at, n) + V::load(bias + at, n), n);
  });
}
PARAKEET_VERSIONS(normalizeRow, (const float* x, const float* weight, const float* bias, float* y, int channels),
                  (x, weight, bias, y, channels))

template <class V, bool silu>
PARAKEET_INLINE void convolveRowThen(const float* x, const float* weight, const float* bias, float* y, int channels,
                                     int kernel) {
  pieces<V>(channels, [&](int at, int n) PARAKEET_LAMBDA {
    typename V::Floats total = V::load(bias + at, n);
    for (int k = 0; k < kernel; k++) {
      const ptrdiff_t row = static_cast<ptrdiff_t>(k) * channels + at;
      total += V::load(x + row, n) * V::load(weight + row, n);
    }
    if constexpr (silu) total = total * V::sigmoid(total);
    V::store(y + at, total, n);
  });
}
template <class V>
PARAKEET_INLINE void convolveRowBody(const float* x, const float* weight, const float* bias, float* y, int channels,
                                     int kernel) {
  convolveRowThen<V, false>(x, weight, bias, y, channels, kernel);
}
template <class V>
PARAKEET_INLINE void convolveRowSiluBody(const float* x, const float* weight, const float* bias, float* y, int channels,
                                         int kernel) {
  convolveRowThen<V, true>(x, weight, bias, y, channels, kernel);
}
PARAKEET_VERSIONS(convolveRow,
                  (const float* x, const float* weight, const float* bias, float* y, int channels, int kernel),
                  (x, weight, bias, y, channels, kernel))
PARAKEET_VERSIONS(convolveRowSilu,
                  (const float* x, const float* weight, const float* bias, float* y, int channels, int kernel),
                  (x, weight, bias, y, channels, kernel))

template <class V>
PARAKEET_INLINE void siluRowBody(float* x, int channels) {
  pieces<V>(channels, [&](int at, int n) PARAKEET_LAMBDA {
    const typename V::Floats v = V::load(x + at, n);
    V::store(x + at, v * V::sigmoid(v), n);
  });
}
PARAKEET_VERSIONS(siluRow, (float* x, int channels), (x, channels))

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
  const float peak = V::largest(peaks);
  pieces<V>(count,
            [&](int at, int n) PARAKEET_LAMBDA { V::store(row + at, V::exponential(V::load(row + at, n) - peak), n); });
  const float inverse = 1.0f / sumOf<V>(count, [&](int at, int n) PARAKEET_LAMBDA { return V::load(row + at, n); });
  pieces<V>(count, [&](int at, int n) PARAKEET_LAMBDA { V::store(row + at, V::load(row + at, n) * inverse, n); });
}
PARAKEET_VERSIONS(softmax, (float* row, const float* add, int count), (row, add, count))

template <class V, Activation activation, bool bytes>
PARAKEET_INLINE void finishRows(const void* accumulator, const TileEnd& end) {
  using Floats = typename V::Floats;
  for (int r = 0; r < end.rows; r++) {
    const float* sums = static_cast<const float*>(accumulator) + static_cast<size_t>(r) * end.ldAccumulator;
    const size_t row = r * end.ldOutput;
    const auto value = [&](int at, int n) PARAKEET_LAMBDA {
      Floats v = V::load(sums + at, n);
      if constexpr (bytes) {
        const auto [scale, zero] = end.quantized[r];
        const auto sum = (typename V::Ints)v - zero * (typename V::Ints)V::load((const float*)end.columnSum + at, n);
        v = scale * V::load(end.columnScale + at, n) * __builtin_convertvector(sum, Floats);
      }
      return v + V::load(end.bias + at, n);
    };
    pieces<V>(end.columns, [&](int at, int n) PARAKEET_LAMBDA {
      Floats v = value(at, n);
      if constexpr (activation == Activation::relu) v = v < 0.0f ? Floats{} : v;
      if constexpr (activation == Activation::silu) v = v * V::sigmoid(v);
      if constexpr (activation == Activation::glu) v = v * V::sigmoid(value(end.gate + at, n));
      v = end.scale * v;
      V::store(end.output + row + at, end.residual ? V::load(end.residual + row + at, n) + v : v, n);
    });
  }
}

template <class V, bool bytes>
PARAKEET_INLINE void finishRowsOf(const void* accumulator, const TileEnd& end) {
  switch (end.activation) {
    case Activation::none:
      return finishRows<V, Activation::none, bytes>(accumulator, end);
    case Activation::relu:
      return finishRows<V, Activation::relu, bytes>(accumulator, end);
    case Activation::silu:
      return finishRows<V, Activation::silu, bytes>(accumulator, end);
    case Activation::glu:
      return finishRows<V, Activation::glu, bytes>(accumulator, end);
  }
}

template <class V>
PARAKEET_INLINE void finishBody(const void* accumulator, const TileEnd& end) {
  end.quantized ? finishRowsOf<V, true>(accumulator, end) : finishRowsOf<V, false>(accumulator, end);
}
PARAKEET_VERSIONS(finish, (const void* accumulator, const TileEnd& end), (accumulator, end))

template <class V>
PARAKEET_INLINE void quantizeRowBody(const float* x, uint8_t* q, QuantizedRow& row, int columns) {
  typename V::Floats lows{}, highs{};
  pieces<V>(columns, [&](int at, int n) PARAKEET_LAMBDA {
    const typename V::Floats v = V::load(x + at, n);  // zeros beyond the end: the range holds 0 anyway
    lows = V::smallest(v, lows);
    highs = V::largest(v, highs);
  });
  const float low = V::smallest(lows), high = V::largest(highs);
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

void depthwise(const float* x, const float* weight, const float* bias, float* y, int frames, int channels, int kernel) {
  for (int t = 0; t < frames; t++, x += channels, y += channels) convolveRow(x, weight, bias, y, channels, kernel);
}

void depthwiseSilu(const float* x, const float* weight, const float* bias, float* y, int frames, int channels,
                   int kernel) {
  for (int t = 0; t < frames; t++, x += channels, y += channels) convolveRowSilu(x, weight, bias, y, channels, kernel);
}

void siluRows(float* x, int rows, int channels) {
  for (int r = 0; r < rows; r++, x += channels) siluRow(x, channels);
}

void softmaxRange(float* row, const float* add, int length, int begin, int end) {
  softmax(row + begin, add ? add + begin : nullptr, end - begin);
  std::fill(row, row + begin, 0.0f);
  std::fill(row + end, row + length, 0.0f);
}

void finishTile(const void* accumulator, const TileEnd& end) { finish(accumulator, end); }

void quantizeRows(const float* x, uint8_t* q, QuantizedRow* row, int rows, int columns) {
  for (int r = 0; r < rows; r++, x += columns, q += columns) quantizeRow(x, q, row[r], columns);
}

void toBfloat16(const float* x, uint16_t* y, size_t count) { narrow(x, y, count); }
std::vector<uint16_t> toBfloat16(const std::vector<float>& x) {
  std::vector<uint16_t> y(x.size());
  toBfloat16(x.data(), y.data(), x.size());
  return y;
}
void fromBfloat16(const uint16_t* x, float* y, size_t count) { widen(x, y, count); }

void fromBytes(const int8_t* x, const float* scale, float* y, int rows, int columns) {
  for (int r = 0; r < rows; r++, x += columns, y += columns) widenBytes(x, scale, y, columns);
}

}  // namespace parakeet::ops
