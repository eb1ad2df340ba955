#include "ops/lstm.h"

#include "ops/cpu/vector.h"

namespace parakeet::ops {
namespace {

// Within 2 units in the last place; NaN stays NaN. Small arguments by Cephes' polynomial (S. Moshier, tanhf.c), where
// the exponential's form would cancel.
template <class V>
PARAKEET_INLINE typename V::Floats hyperbolicTangent(typename V::Floats x) {
  const typename V::Floats square = x * x, size = x < 0.0f ? -x : x;
  typename V::Floats p = square * -5.70498872745e-3f + 2.06390887954e-2f;
  p = p * square - 5.37397155531e-2f;
  p = p * square + 1.33314422036e-1f;
  p = p * square - 3.33332819422e-1f;
  const typename V::Floats small = p * square * x + x;
  const typename V::Floats large = 1.0f - 2.0f / (V::exponential(size + size) + 1.0f);
  return size < 0.625f ? small : x < 0.0f ? -large : large;
}

template <class V>
PARAKEET_INLINE void cellsBody(const float* a, const float* b, float* cell, float* hidden, int width) {
  pieces<V>(width, [&](int at, int n) PARAKEET_LAMBDA {
    const auto gate = [&](int which) PARAKEET_LAMBDA {
      const int from = which * width + at;
      return V::load(a + from, n) + V::load(b + from, n);
    };
    const typename V::Floats in = V::sigmoid(gate(0)), forget = V::sigmoid(gate(1)), out = V::sigmoid(gate(3));
    const typename V::Floats next = forget * V::load(cell + at, n) + in * hyperbolicTangent<V>(gate(2));
    V::store(cell + at, next, n);
    V::store(hidden + at, out * hyperbolicTangent<V>(next), n);
  });
}
PARAKEET_VERSIONS(cells, (const float* a, const float* b, float* cell, float* hidden, int width),
                  (a, b, cell, hidden, width))

template <class V>
PARAKEET_INLINE void reluBody(const float* a, const float* b, float* y, int count) {
  pieces<V>(count, [&](int at, int n) PARAKEET_LAMBDA {
    const typename V::Floats v = V::load(a + at, n) + V::load(b + at, n);
    V::store(y + at, v > 0.0f ? v : typename V::Floats{}, n);
  });
}
PARAKEET_VERSIONS(relu, (const float* a, const float* b, float* y, int count), (a, b, y, count))

template <class V>
PARAKEET_INLINE void sigmoidBody(const float* a, const float* b, float* y, int count) {
  pieces<V>(count, [&](int at, int n)
                       PARAKEET_LAMBDA { V::store(y + at, V::sigmoid(V::load(a + at, n) + V::load(b + at, n)), n); });
}
PARAKEET_VERSIONS(sigmoid, (const float* a, const float* b, float* y, int count), (a, b, y, count))

template <class V>
PARAKEET_INLINE void tangentBody(const float* a, const float* b, float* y, int count) {
  pieces<V>(count, [&](int at, int n) PARAKEET_LAMBDA {
    V::store(y + at, hyperbolicTangent<V>(V::load(a + at, n) + V::load(b + at, n)), n);
  });
}
PARAKEET_VERSIONS(tangent, (const float* a, const float* b, float* y, int count), (a, b, y, count))

}  // namespace

void lstmCells(const float* fromInput, const float* fromHidden, float* cell, float* hidden, int width) {
  cells(fromInput, fromHidden, cell, hidden, width);
}
void addRelu(const float* a, const float* b, float* y, int count) { relu(a, b, y, count); }
void addSigmoid(const float* a, const float* b, float* y, int count) { sigmoid(a, b, y, count); }
void addTanh(const float* a, const float* b, float* y, int count) { tangent(a, b, y, count); }

}  // namespace parakeet::ops
