#include "ops/cpu/attention_rows.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "ops/cpu/tile_kernel.h"
#include "ops/cpu/vector.h"

namespace parakeet::ops {
namespace {

// Rounds to the nearest bfloat16, ties to even; NaN stays NaN. As toBfloat16 (pointwise.h), in a register.
template <class V>
PARAKEET_INLINE typename V::Ints bfloat16Bits(typename V::Floats x) {
  const auto bits = (typename V::Ints)x;
  const auto even = bits + 0x7fff + ((bits >> 16) & 1);
  return ((x != x ? bits | 0x400000 : even) >> 16) & 0xffff;
}

template <class V>
PARAKEET_INLINE void storeNarrow(uint16_t* y, typename V::Floats x, int n) {
  const auto halves = __builtin_convertvector(bfloat16Bits<V>(x), typename V::Halves);
  std::memcpy(y, &halves, n * sizeof *y);
}

// The row's groups in order, as 32-bit words.
template <class V>
PARAKEET_INLINE void groupsOf(ProductKind kind, const float* row, int size, uint32_t* words, int groups) {
  std::fill(words, words + groups, 0);
  if (kind == ProductKind::float32) {
    std::memcpy(words, row, size * sizeof *row);
    return;
  }
  auto* narrow = reinterpret_cast<uint16_t*>(words);
  pieces<V>(size, [&](int at, int n) PARAKEET_LAMBDA { storeNarrow<V>(narrow + at, V::load(row + at, n), n); });
}

typedef uint32_t Quad __attribute__((vector_size(16)));

// 4 × 4 words, of which row i begins at from + i · stride, are written as columns.
PARAKEET_INLINE void transposeQuad(const uint32_t* from, int stride, uint32_t* to, int toStride) {
  Quad rows[4];
  for (int i = 0; i < 4; i++) std::memcpy(&rows[i], from + static_cast<ptrdiff_t>(i) * stride, sizeof rows[i]);
  const Quad a = __builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5),
             b = __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5),
             c = __builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7),
             d = __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7);
  const Quad columns[4] = {__builtin_shufflevector(a, b, 0, 1, 4, 5), __builtin_shufflevector(a, b, 2, 3, 6, 7),
                           __builtin_shufflevector(c, d, 0, 1, 4, 5), __builtin_shufflevector(c, d, 2, 3, 6, 7)};
  for (int i = 0; i < 4; i++) std::memcpy(to + static_cast<ptrdiff_t>(i) * toStride, &columns[i], sizeof columns[i]);
}

// Groups that are turned at once: all columns of them fit into the first-level cache.
constexpr int turnedGroups = 64;

template <class V>
PARAKEET_INLINE void packColumnsInBody(ProductKind kind, const float* const* rows, int size, int groups,
                                       uint32_t* packed) {
  alignas(64) uint32_t words[tileColumns * turnedGroups];
  for (int first = 0; first < groups; first += turnedGroups) {
    const int some = std::min(turnedGroups, groups - first), from = first * groupSize(kind);
    const int values = std::clamp(size - from, 0, some * groupSize(kind));
    for (int c = 0; c < tileColumns; c++) {
      uint32_t* own = words + c * turnedGroups;
      if (rows[c])
        groupsOf<V>(kind, rows[c] + from, values, own, some);
      else
        std::fill(own, own + some, 0);
    }
    for (int g = 0; g < some; g += 4) {
      for (int c = 0; c < tileColumns; c += 4)
        transposeQuad(words + c * turnedGroups + g, turnedGroups,
                      packed + static_cast<ptrdiff_t>(first + g) * tileColumns + c, tileColumns);
    }
  }
}
PARAKEET_VERSIONS(packColumnsIn, (ProductKind kind, const float* const* rows, int size, int groups, uint32_t* packed),
                  (kind, rows, size, groups, packed))

struct Inner {
  const float* const* rows;
  int count, first, size, groups;
};

template <class V>
PARAKEET_INLINE void packInnerInBody(ProductKind kind, const Inner& inner, uint32_t* packed) {
  using Floats = typename V::Floats;
  for (int g = 0; g < inner.groups; g++, packed += tileColumns) {
    const int row = g * groupSize(kind);
    if (row >= inner.count) {
      std::fill(packed, packed + tileColumns, 0);
      continue;
    }
    const float* first = inner.rows[row] + inner.first;
    const float* second = row + 1 < inner.count ? inner.rows[row + 1] + inner.first : nullptr;
    pieces<V>(tileColumns, [&](int at, int n) PARAKEET_LAMBDA {
      const int there = std::clamp(inner.size - at, 0, n);
      const Floats low = there > 0 ? V::load(first + at, there) : Floats{};
      if (kind == ProductKind::float32) {
        V::store(reinterpret_cast<float*>(packed) + at, low, n);
        return;
      }
      const Floats high = there > 0 && second ? V::load(second + at, there) : Floats{};
      const auto both = bfloat16Bits<V>(low) | (bfloat16Bits<V>(high) << 16);
      V::store(reinterpret_cast<float*>(packed) + at, (Floats)both, n);
    });
  }
}
PARAKEET_VERSIONS(packInnerIn, (ProductKind kind, const Inner& inner, uint32_t* packed), (kind, inner, packed))

struct Biased {
  const float *x, *bias;
  float scale;
  int size;
};

template <class V>
PARAKEET_INLINE void biasedInBody(ProductKind kind, const Biased& row, void* y) {
  pieces<V>(row.size, [&](int at, int n) PARAKEET_LAMBDA {
    const auto value = (V::load(row.x + at, n) + V::load(row.bias + at, n)) * row.scale;
    if (kind == ProductKind::float32)
      V::store(static_cast<float*>(y) + at, value, n);
    else
      storeNarrow<V>(static_cast<uint16_t*>(y) + at, value, n);
  });
}
PARAKEET_VERSIONS(biasedIn, (ProductKind kind, const Biased& row, void* y), (kind, row, y))

// Begin and end within the rows.
struct Range {
  int begin, end;
};

// Whole registers, which reach beyond the range to both sides.
template <class V>
PARAKEET_INLINE void softmaxInBody(ProductKind kind, float* content, const float* distance, const Range& range,
                                   void* weights, float* sum) {
  using Floats = typename V::Floats;
  const int first = range.begin / V::lanes * V::lanes;
  const Floats lowest = V::broadcast(-std::numeric_limits<float>::infinity());
  Floats peaks = lowest;
  for (int at = first; at < range.end; at += V::lanes) {
    const Floats score = V::load(content + at) + V::load(distance + at);
    V::store(content + at, score);
    peaks = V::largest(V::within(score, at, range.begin, range.end, lowest), peaks);
  }
  const float peak = V::largest(peaks);
  Floats sums{};
  for (int at = first; at < range.end; at += V::lanes) {
    const Floats weight = V::exponential(V::load(content + at) - peak);
    const Floats v = V::within(weight, at, range.begin, range.end, Floats{});
    sums += v;
    if (kind == ProductKind::float32)
      V::store(static_cast<float*>(weights) + at, v);
    else
      storeNarrow<V>(static_cast<uint16_t*>(weights) + at, v, V::lanes);
  }
  *sum = V::sum(sums);
}
PARAKEET_VERSIONS(softmaxIn,
                  (ProductKind kind, float* content, const float* distance, const Range& range, void* weights,
                   float* sum),
                  (kind, content, distance, range, weights, sum))

size_t bytesOf(ProductKind kind, int values) { return static_cast<size_t>(values) * 4 / groupSize(kind); }

void zero(ProductKind kind, void* row, int begin, int end) {
  std::memset(static_cast<char*>(row) + bytesOf(kind, begin), 0, bytesOf(kind, end - begin));
}

}  // namespace

void packColumns(ProductKind kind, const float* const* rows, int size, int groups, void* packed) {
  packColumnsIn(kind, rows, size, groups, static_cast<uint32_t*>(packed));
}

void packInner(ProductKind kind, const float* const* rows, int count, int first, int size, int groups, void* packed) {
  packInnerIn(kind, {rows, count, first, std::min(size - first, tileColumns), groups}, static_cast<uint32_t*>(packed));
}

void biasedRow(ProductKind kind, const float* x, const float* bias, float scale, int size, int groups, void* y) {
  biasedIn(kind, {x, bias, scale, size}, y);
  zero(kind, y, size, groups * groupSize(kind));
}

float softmaxRow(ProductKind kind, float* content, const float* distance, int begin, int end, int groups,
                 void* weights) {
  float sum = 0;
  zero(kind, weights, 0, begin);
  zero(kind, weights, end, groups * groupSize(kind));
  softmaxIn(kind, content, distance, {begin, end}, weights, &sum);
  return 1.0f / sum;
}

}  // namespace parakeet::ops
