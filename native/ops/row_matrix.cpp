#include "ops/row_matrix.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "ops/cpu/pointwise.h"
#include "ops/cpu/vector.h"
#include "ops/pool.h"

namespace parakeet::ops {
namespace {

// Multiply-adds below which another thread is not worth waking: about 20 µs of reading weights. During decoding,
// products follow each other closely, so the other thread is usually still spinning.
constexpr int grainWork = 300000;

constexpr int blockRows = 32;
constexpr int halfBlock = blockRows / 2;

// A column's weights of `V::lanes` rows from `at` on, and of those half a block below.
template <class V>
PARAKEET_INLINE void widen(const float* column, int at, typename V::Floats& upper, typename V::Floats& lower) {
  upper = V::load(column + at);
  lower = V::load(column + halfBlock + at);
}
template <class V>
PARAKEET_INLINE void widen(const uint16_t* column, int at, typename V::Floats& upper, typename V::Floats& lower) {
  typename V::Ints words;
  std::memcpy(&words, column + 2 * at, sizeof words);
  upper = (typename V::Floats)(words << 16);
  lower = (typename V::Floats)(words & static_cast<int32_t>(0xffff0000));
}

struct Product {
  const float* bias;
  const float* x;
  float* y;
  int rows, columns;
};

// One block times `vectors` vectors, from the first one given on. Even and odd columns are summed apart, since each
// addition depends on the one before; in the same order for any number of vectors.
template <class V, int vectors, class T>
PARAKEET_INLINE void blockTimes(const T* block, const Product& p, int row, int first) {
  const float* x = p.x + static_cast<ptrdiff_t>(first) * p.columns;
  for (int at = 0; at < halfBlock; at += V::lanes) {
    typename V::Floats upper[2][vectors]{}, lower[2][vectors]{};
    const auto add = [&](int c, int parity) PARAKEET_LAMBDA {
      typename V::Floats above, below;
      widen<V>(block + static_cast<ptrdiff_t>(c) * blockRows, at, above, below);
      for (int i = 0; i < vectors; i++) {
        const float factor = x[static_cast<ptrdiff_t>(i) * p.columns + c];
        upper[parity][i] += above * factor;
        lower[parity][i] += below * factor;
      }
    };
    int c = 0;
    for (; c + 2 <= p.columns; c += 2) {
      add(c, 0);
      add(c + 1, 1);
    }
    if (c < p.columns) add(c, 0);
    for (int i = 0; i < vectors; i++) {
      float* y = p.y + static_cast<ptrdiff_t>(first + i) * p.rows;
      for (int half = 0; half < 2; half++) {
        const int from = row + half * halfBlock + at;
        const auto sum = half ? lower[0][i] + lower[1][i] : upper[0][i] + upper[1][i];
        if (from < p.rows) V::store(y + from, sum + V::load(p.bias + from), std::min(V::lanes, p.rows - from));
      }
    }
  }
}

template <class V, class T>
PARAKEET_INLINE void blocksTimes(const T* weight, const Product& p, int count, int begin, int end) {
  for (int b = begin; b < end; b++) {
    const T* block = weight + static_cast<size_t>(b) * blockRows * p.columns;
    int i = 0;
    for (; i + 4 <= count; i += 4) blockTimes<V, 4>(block, p, b * blockRows, i);
    if (i + 2 <= count) {
      blockTimes<V, 2>(block, p, b * blockRows, i);
      i += 2;
    }
    if (i < count) blockTimes<V, 1>(block, p, b * blockRows, i);
  }
}

template <class V>
PARAKEET_INLINE void timesWideBody(const float* weight, const Product& p, int count, int begin, int end) {
  blocksTimes<V>(weight, p, count, begin, end);
}
PARAKEET_VERSIONS(timesWide, (const float* weight, const Product& p, int count, int begin, int end),
                  (weight, p, count, begin, end))

template <class V>
PARAKEET_INLINE void timesNarrowBody(const uint16_t* weight, const Product& p, int count, int begin, int end) {
  blocksTimes<V>(weight, p, count, begin, end);
}
PARAKEET_VERSIONS(timesNarrow, (const uint16_t* weight, const Product& p, int count, int begin, int end),
                  (weight, p, count, begin, end))

// Whether bfloat16 holds the values exactly, as it does those of most published models.
bool fitBfloat16(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](float value) { return (std::bit_cast<uint32_t>(value) & 0xffff) == 0; });
}

// [rows, columns] → blocks. `step`, `half`: how far apart the weights of neighbouring rows, and of rows half a block
// apart, are to lie.
template <class T>
WeightBuffer<T> blocked(const std::vector<T>& weight, int rows, int columns, int step, int half) {
  const size_t blocks = (static_cast<size_t>(rows) + blockRows - 1) / blockRows;
  WeightBuffer<T> packed(blocks * blockRows * columns);
  for (int r = 0; r < rows; r++) {
    const int own = r % blockRows;
    T* to = packed.data() + static_cast<size_t>(r - own) * columns + own % halfBlock * step + own / halfBlock * half;
    for (int c = 0; c < columns; c++)
      to[static_cast<size_t>(c) * blockRows] = weight[static_cast<size_t>(r) * columns + c];
  }
  return packed;
}

}  // namespace

RowMatrix::RowMatrix(const std::vector<float>& weight, std::vector<float> bias, int rows, int columns, DType dtype)
    : rows_(rows), columns_(columns), bias_(std::move(bias)) {
  if (dtype == DType::float32 && !fitBfloat16(weight)) {
    wide_ = blocked(weight, rows, columns, 1, halfBlock);
  } else {
    narrow_ = blocked(toBfloat16(weight), rows, columns, 2, 1);
  }
  bias_.resize((wide_.size() + narrow_.size()) / columns);
}

void RowMatrix::multiply(const float* x, int count, float* y) const {
  const Product product{bias_.data(), x, y, rows_, columns_};
  const auto blocks = static_cast<int>(bias_.size()) / blockRows;
  const int grain = std::max(1, grainWork / (columns_ * count * blockRows));
  parallelFor(blocks, grain, [&](int begin, int end) {
    if (!wide_.empty()) timesWide(wide_.data(), product, count, begin, end);
    if (!narrow_.empty()) timesNarrow(narrow_.data(), product, count, begin, end);
  });
}

RowTable::RowTable(const std::vector<float>& weight, int columns, DType dtype) : columns_(columns) {
  if (dtype == DType::float32 && !fitBfloat16(weight))
    wide_ = weight;
  else
    narrow_ = toBfloat16(weight);
}

void RowTable::row(int r, float* y) const {
  const size_t at = static_cast<size_t>(r) * columns_;
  if (!wide_.empty()) std::copy_n(wide_.data() + at, columns_, y);
  if (!narrow_.empty()) fromBfloat16(narrow_.data() + at, y, columns_);
}

}  // namespace parakeet::ops
