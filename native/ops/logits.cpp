#include "ops/logits.h"

#include <algorithm>
#include <limits>

#include "ops/cpu/vector.h"

namespace parakeet::ops {
namespace {

template <class V>
PARAKEET_INLINE float peakOf(const float* x, int count) {
  // Several registers, since each comparison depends on the one before.
  constexpr int apart = 4;
  typename V::Floats peaks[apart];
  for (auto& own : peaks) own = V::broadcast(x[0]);
  int at = 0;
  for (; at + apart * V::lanes <= count; at += apart * V::lanes) {
    for (int i = 0; i < apart; i++) peaks[i] = V::largest(V::load(x + at + i * V::lanes), peaks[i]);
  }
  float peak = x[0];
  for (const auto& own : peaks) {
    for (int k = 0; k < V::lanes; k++) peak = own[k] > peak ? own[k] : peak;
  }
  for (; at < count; at++) peak = x[at] > peak ? x[at] : peak;
  return peak;
}

template <class V>
PARAKEET_INLINE void findMaxBody(const float* x, int count, int& found) {
  const float peak = peakOf<V>(x, count);
  found = 0;
  for (int at = 0; at < count; at++) {
    if (x[at] == peak) {
      found = at;
      return;
    }
  }
}
PARAKEET_VERSIONS(findMax, (const float* x, int count, int& found), (x, count, found))

struct Sums {
  double sum = 0, weighted = 0, thirds = 0;
};

// Σ eʸ, Σ y eʸ and Σ e^(y/3) with y = x − peak.
template <class V>
PARAKEET_INLINE void addUpBody(const float* x, int count, float peak, Sums& found) {
  typename V::Floats sums{}, products{}, roots{};
  pieces<V>(count, [&](int at, int n) PARAKEET_LAMBDA {
    const typename V::Floats y = V::load(x + at, n) - peak;
    typename V::Floats root = V::exponential(y * (1.0f / 3)), e = root * root * root, product = e * y;
    for (int k = n; k < V::lanes; k++) e[k] = product[k] = root[k] = 0;
    sums += e;
    products += product;
    roots += root;
  });
  found = {};
  for (int k = 0; k < V::lanes; k++) {
    found.sum += sums[k];
    found.weighted += products[k];
    found.thirds += roots[k];
  }
}
PARAKEET_VERSIONS(addUp, (const float* x, int count, float peak, Sums& found), (x, count, peak, found))

template <class V>
PARAKEET_INLINE void findPeakBody(const float* x, int count, float& found) {
  found = peakOf<V>(x, count);
}
PARAKEET_VERSIONS(findPeak, (const float* x, int count, float& found), (x, count, found))

}  // namespace

int argmax(const float* x, int count) {
  int found = 0;
  findMax(x, count, found);
  return found;
}

Spread spreadOf(const float* x, int count) {
  const int at = argmax(x, count);
  Sums sums;
  addUp(x, count, x[at], sums);
  float second = -std::numeric_limits<float>::infinity(), found = 0;
  const int places[][2] = {{0, at}, {at + 1, count}};
  for (const auto& [begin, end] : places) {
    if (begin == end) continue;
    findPeak(x + begin, end - begin, found);
    second = std::max(second, found - x[at]);
  }
  return {sums.sum, sums.weighted / sums.sum, sums.thirds, second};
}

}  // namespace parakeet::ops
