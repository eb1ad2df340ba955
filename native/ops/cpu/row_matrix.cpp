#include "ops/cpu/row_matrix.h"

#include <algorithm>
#include <cmath>

#include "ops/cpu/pointwise.h"
#include "ops/cpu/pool.h"
#include "ops/cpu/vector.h"

namespace parakeet::ops {
namespace {

// Columns widened at once: they stay in the first cache.
constexpr int block = 512;
// Multiply-adds below which another thread is not worth waking.
constexpr int grainWork = 500000;

// The block as float32: in place, or widened to `room`.
PARAKEET_INLINE const float* widened(const float* w, float*, int) { return w; }
PARAKEET_INLINE const float* widened(const uint16_t* w, float* room, int count) {
  for (int c = 0; c < count; c++) room[c] = std::bit_cast<float>(static_cast<uint32_t>(w[c]) << 16);
  return room;
}
PARAKEET_INLINE const float* widened(const int8_t* w, float* room, int count) {
  for (int c = 0; c < count; c++) room[c] = static_cast<float>(w[c]);
  return room;
}

template <class V>
PARAKEET_INLINE float dot(const float* w, const float* x, int count) {
  typename V::Floats even{}, odd{};
  int c = 0;
  for (; c + 2 * V::lanes <= count; c += 2 * V::lanes) {
    even += V::load(w + c) * V::load(x + c);
    odd += V::load(w + c + V::lanes) * V::load(x + c + V::lanes);
  }
  float total = V::sum(even + odd);
  for (; c < count; c++) total += w[c] * x[c];
  return total;
}

// The same sums for four vectors, `columns` apart, with one reading of the weights.
template <class V>
PARAKEET_INLINE void dotOfFour(const float* w, const float* x, int columns, int count, float* totals) {
  typename V::Floats even[4]{}, odd[4]{};
  int c = 0;
  for (; c + 2 * V::lanes <= count; c += 2 * V::lanes) {
    const auto first = V::load(w + c), second = V::load(w + c + V::lanes);
    for (int i = 0; i < 4; i++) {
      const float* from = x + static_cast<ptrdiff_t>(i) * columns + c;
      even[i] += first * V::load(from);
      odd[i] += second * V::load(from + V::lanes);
    }
  }
  for (int i = 0; i < 4; i++) {
    float total = V::sum(even[i] + odd[i]);
    for (int k = c; k < count; k++) total += w[k] * x[static_cast<ptrdiff_t>(i) * columns + k];
    totals[i] = total;
  }
}

// One weight row times `count` vectors of `columns`, results `stride` apart.
template <class V, class T>
PARAKEET_INLINE void rowTimes(const T* w, const float* x, int count, int columns, float scale, float bias, float* y,
                              int stride) {
  float room[block];
  for (int i = 0; i < count; i++) y[static_cast<ptrdiff_t>(i) * stride] = 0;
  for (int at = 0; at < columns; at += block) {
    const int width = std::min(block, columns - at);
    const float* wide = widened(w + at, room, width);
    int i = 0;
    for (; i + 4 <= count; i += 4) {
      float totals[4];
      dotOfFour<V>(wide, x + static_cast<ptrdiff_t>(i) * columns + at, columns, width, totals);
      for (int k = 0; k < 4; k++) y[static_cast<ptrdiff_t>(i + k) * stride] += totals[k];
    }
    for (; i < count; i++)
      y[static_cast<ptrdiff_t>(i) * stride] += dot<V>(wide, x + static_cast<ptrdiff_t>(i) * columns + at, width);
  }
  for (int i = 0; i < count; i++) {
    float& value = y[static_cast<ptrdiff_t>(i) * stride];
    value = value * scale + bias;
  }
}

struct Product {
  const float *scale, *bias;  // may be null
  const float* x;
  float* y;
  int count, rows, columns;
};

template <class V, class T>
PARAKEET_INLINE void rowsTimes(const T* weight, const Product& p, int begin, int end) {
  for (int r = begin; r < end; r++) {
    rowTimes<V>(weight + static_cast<size_t>(r) * p.columns, p.x, p.count, p.columns, p.scale ? p.scale[r] : 1.0f,
                p.bias ? p.bias[r] : 0.0f, p.y + r, p.rows);
  }
}

template <class V>
PARAKEET_INLINE void timesWideBody(const float* weight, const Product& p, int begin, int end) {
  rowsTimes<V>(weight, p, begin, end);
}
PARAKEET_VERSIONS(timesWide, (const float* weight, const Product& p, int begin, int end), (weight, p, begin, end))

template <class V>
PARAKEET_INLINE void timesNarrowBody(const uint16_t* weight, const Product& p, int begin, int end) {
  rowsTimes<V>(weight, p, begin, end);
}
PARAKEET_VERSIONS(timesNarrow, (const uint16_t* weight, const Product& p, int begin, int end), (weight, p, begin, end))

template <class V>
PARAKEET_INLINE void timesBytesBody(const int8_t* weight, const Product& p, int begin, int end) {
  rowsTimes<V>(weight, p, begin, end);
}
PARAKEET_VERSIONS(timesBytes, (const int8_t* weight, const Product& p, int begin, int end), (weight, p, begin, end))

}  // namespace

RowMatrix::RowMatrix(const std::vector<float>& weight, std::vector<float> bias, int rows, int columns, DType dtype)
    : rows_(rows), columns_(columns), bias_(std::move(bias)) {
  switch (dtype) {
    case DType::float32:
      wide_ = weight;
      break;
    case DType::bfloat16:
      narrow_.resize(weight.size());
      toBfloat16(weight.data(), narrow_.data(), weight.size());
      break;
    case DType::int8:
    case DType::int8Products:
      bytes_.resize(weight.size());
      scale_.resize(rows);
      for (int r = 0; r < rows; r++) {
        const float* row = weight.data() + static_cast<size_t>(r) * columns;
        float peak = 0;
        for (int c = 0; c < columns; c++) peak = std::max(peak, std::abs(row[c]));
        scale_[r] = peak > 0 ? peak / 127.0f : 1.0f;
        for (int c = 0; c < columns; c++)
          bytes_[static_cast<size_t>(r) * columns + c] = static_cast<int8_t>(std::lround(row[c] / scale_[r]));
      }
      break;
  }
}

void RowMatrix::multiply(const float* x, int count, float* y) const {
  const Product product{
      scale_.empty() ? nullptr : scale_.data(), bias_.empty() ? nullptr : bias_.data(), x, y, count, rows_, columns_};
  const int grain = std::max(1, grainWork / (columns_ * count));
  parallelFor(rows_, grain, [&](int begin, int end) {
    if (!wide_.empty()) timesWide(wide_.data(), product, begin, end);
    if (!narrow_.empty()) timesNarrow(narrow_.data(), product, begin, end);
    if (!bytes_.empty()) timesBytes(bytes_.data(), product, begin, end);
  });
}

void RowMatrix::row(int r, float* y) const {
  const size_t at = static_cast<size_t>(r) * columns_;
  for (int c = 0; c < columns_; c++) {
    if (!wide_.empty()) y[c] = wide_[at + c];
    if (!narrow_.empty()) y[c] = std::bit_cast<float>(static_cast<uint32_t>(narrow_[at + c]) << 16);
    if (!bytes_.empty()) y[c] = scale_[r] * static_cast<float>(bytes_[at + c]);
  }
}

}  // namespace parakeet::ops
