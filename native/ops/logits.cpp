#include "ops/logits.h"

#include <cmath>

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

// Σ eʸ and Σ y eʸ with y = x − max x.
template <class V>
PARAKEET_INLINE void softmaxSumsBody(const float* x, int count, double& sum, double& weighted) {
  const float peak = peakOf<V>(x, count);
  typename V::Floats sums{}, products{};
  pieces<V>(count, [&](int at, int n) PARAKEET_LAMBDA {
    const typename V::Floats y = V::load(x + at, n) - peak;
    typename V::Floats e = V::exponential(y), product = e * y;
    for (int k = n; k < V::lanes; k++) e[k] = product[k] = 0;
    sums += e;
    products += product;
  });
  sum = weighted = 0;
  for (int k = 0; k < V::lanes; k++) {
    sum += sums[k];
    weighted += products[k];
  }
}
PARAKEET_VERSIONS(softmaxSums, (const float* x, int count, double& sum, double& weighted), (x, count, sum, weighted))

}  // namespace

int argmax(const float* x, int count) {
  int found = 0;
  findMax(x, count, found);
  return found;
}

double entropy(const float* x, int count) {
  double sum = 0, weighted = 0;
  softmaxSums(x, count, sum, weighted);
  return std::log(sum) - weighted / sum;
}

}  // namespace parakeet::ops
