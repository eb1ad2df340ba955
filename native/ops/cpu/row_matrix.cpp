#include "ops/cpu/row_matrix.h"

#include <algorithm>
#include <cmath>

#include "ops/cpu/pointwise.h"
#include "ops/cpu/pool.h"
#include "ops/cpu/vector.h"

namespace parakeet::ops {
namespace {

// Multiply-adds below which another thread is not worth waking.
constexpr int grainWork = 500000;

// `V::lanes` weights as float32, widened in the register.
template <class V>
PARAKEET_INLINE typename V::Floats weights(const float* w) {
  return V::load(w);
}
template <class V>
PARAKEET_INLINE typename V::Floats weights(const uint16_t* w) {
  typename V::Halves halves;
  std::memcpy(&halves, w, sizeof halves);
  return (typename V::Floats)(__builtin_convertvector(halves, typename V::Ints) << 16);
}
PARAKEET_INLINE float weight(float w) { return w; }
PARAKEET_INLINE float weight(uint16_t w) { return std::bit_cast<float>(static_cast<uint32_t>(w) << 16); }

// One weight row times `vectors` vectors that lie `columns` apart: the weights are read once. A vector's sum is the
// same for any number of them.
template <class V, int vectors, class T>
PARAKEET_INLINE void dots(const T* w, const float* x, int columns, float* totals) {
  typename V::Floats even[vectors]{}, odd[vectors]{};
  int c = 0;
  for (; c + 2 * V::lanes <= columns; c += 2 * V::lanes) {
    const auto first = weights<V>(w + c), second = weights<V>(w + c + V::lanes);
    for (int i = 0; i < vectors; i++) {
      const float* from = x + static_cast<ptrdiff_t>(i) * columns + c;
      even[i] += first * V::load(from);
      odd[i] += second * V::load(from + V::lanes);
    }
  }
  for (int i = 0; i < vectors; i++) {
    float total = V::sum(even[i] + odd[i]);
    for (int k = c; k < columns; k++) total += weight(w[k]) * x[static_cast<ptrdiff_t>(i) * columns + k];
    totals[i] = total;
  }
}

struct Product {
  const float* bias;  // may be null
  const float* x;
  float* y;
  int count, rows, columns;
};

template <class V, class T>
PARAKEET_INLINE void rowsTimes(const T* weight, const Product& p, int begin, int end) {
  for (int r = begin; r < end; r++) {
    const T* w = weight + static_cast<size_t>(r) * p.columns;
    const float bias = p.bias ? p.bias[r] : 0.0f;
    int i = 0;
    float totals[4];
    for (; i + 4 <= p.count; i += 4) {
      dots<V, 4>(w, p.x + static_cast<ptrdiff_t>(i) * p.columns, p.columns, totals);
      for (int k = 0; k < 4; k++) p.y[static_cast<ptrdiff_t>(i + k) * p.rows + r] = totals[k] + bias;
    }
    for (; i < p.count; i++) {
      dots<V, 1>(w, p.x + static_cast<ptrdiff_t>(i) * p.columns, p.columns, totals);
      p.y[static_cast<ptrdiff_t>(i) * p.rows + r] = totals[0] + bias;
    }
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

// Whether bfloat16 holds the values exactly, as it does those of most published models.
bool fitBfloat16(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](float value) { return (std::bit_cast<uint32_t>(value) & 0xffff) == 0; });
}

}  // namespace

RowMatrix::RowMatrix(const std::vector<float>& weight, std::vector<float> bias, int rows, int columns, DType dtype)
    : rows_(rows), columns_(columns), bias_(std::move(bias)) {
  if (dtype == DType::float32 && !fitBfloat16(weight)) {
    wide_ = weight;
  } else {
    narrow_.resize(weight.size());
    toBfloat16(weight.data(), narrow_.data(), weight.size());
  }
}

void RowMatrix::multiply(const float* x, int count, float* y) const {
  const Product product{bias_.empty() ? nullptr : bias_.data(), x, y, count, rows_, columns_};
  const int grain = std::max(1, grainWork / (columns_ * count));
  parallelFor(rows_, grain, [&](int begin, int end) {
    if (!wide_.empty()) timesWide(wide_.data(), product, begin, end);
    if (!narrow_.empty()) timesNarrow(narrow_.data(), product, begin, end);
  });
}

void RowMatrix::row(int r, float* y) const {
  const size_t at = static_cast<size_t>(r) * columns_;
  for (int c = 0; c < columns_; c++) {
    if (!wide_.empty()) y[c] = wide_[at + c];
    if (!narrow_.empty()) y[c] = std::bit_cast<float>(static_cast<uint32_t>(narrow_[at + c]) << 16);
  }
}

}  // namespace parakeet::ops
