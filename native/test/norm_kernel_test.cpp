// The CUDA kernel of the shifted layer norm (ops/padded/shifted_norm.cuh), run on the CPU against the definition.
#include <cmath>
#include <random>
#include <type_traits>
#include <vector>

#include "test/cases.h"
#include "test/check.h"
#include "test/warps.h"

namespace cuda_norm {

using namespace warps;

#define __device__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#include "ops/bfloat16.cuh"

#include "ops/padded/shifted_norm.cuh"
#pragma GCC diagnostic pop
#undef __device__

}  // namespace cuda_norm

namespace parakeet::test {
namespace {

namespace kernel = cuda_norm::parakeet_norm;

template <int WIDTH, class V>
void compare(std::mt19937& random) {
  constexpr int rows = 3;
  std::normal_distribution<float> normal;
  const auto values = [&](size_t count) {
    std::vector<float> all(count);
    for (float& one : all) one = normal(random);
    return all;
  };
  const auto shift = values(WIDTH), weight = values(WIDTH), bias = values(WIDTH);
  std::vector<V> x(static_cast<size_t>(rows) * WIDTH), y(x.size());
  for (V& one : x) kernel::narrow(normal(random), one);

  const int threads = warps::blockDim.x;
  warps::blockDim.x = warps::lanes;
  warps::runGrid(rows, 1, 1,
                 [&] { kernel::normalize<WIDTH>(x.data(), shift.data(), weight.data(), bias.data(), y.data()); });
  warps::blockDim.x = threads;

  const float bound = std::is_same_v<V, float> ? 1e-5f : 1e-2f;
  for (int r = 0; r < rows; r++) {
    double sum = 0, squares = 0;
    const auto shifted = [&](int c) { return static_cast<double>(kernel::widened(x[r * WIDTH + c])) + shift[c]; };
    for (int c = 0; c < WIDTH; c++) sum += shifted(c);
    const double mean = sum / WIDTH;
    for (int c = 0; c < WIDTH; c++) squares += (shifted(c) - mean) * (shifted(c) - mean);
    for (int c = 0; c < WIDTH; c++) {
      const double defined = (shifted(c) - mean) / std::sqrt(squares / WIDTH + 1e-5) * weight[c] + bias[c];
      CHECK(std::fabs(kernel::widened(y[r * WIDTH + c]) - defined) < bound * (1 + std::fabs(defined)));
    }
  }
}

template <class V>
void compareAll(std::mt19937& random) {
  compare<8, V>(random);
  compare<128, V>(random);
  compare<132, V>(random);
  compare<512, V>(random);
}

}  // namespace

void normKernel(std::mt19937& random) {
  compareAll<float>(random);
  compareAll<unsigned short>(random);
}

}  // namespace parakeet::test
