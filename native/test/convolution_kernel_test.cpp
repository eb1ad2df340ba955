// The CUDA kernel of the gated convolution (ops/padded/gated_convolution.cuh), run on the CPU against the definition.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <type_traits>
#include <vector>

#include "test/cases.h"
#include "test/check.h"
#include "test/one_lane.h"

namespace cuda_convolution {

using namespace one_lane;

#define __device__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#include "ops/bfloat16.cuh"

#include "ops/padded/gated_convolution.cuh"
#pragma GCC diagnostic pop
#undef __device__

}  // namespace cuda_convolution

namespace parakeet::test {
namespace {

using one_lane::blockDim, one_lane::blockIdx, one_lane::threadIdx;
namespace kernel = cuda_convolution::parakeet_convolution;

constexpr int width = 6, taps = 9, threads = 4;

template <class V>
float rounded(float value) {
  return kernel::rounded<V>(value);
}

template <class V>
std::vector<V> narrowed(const std::vector<float>& values) {
  std::vector<V> all(values.size());
  for (size_t i = 0; i < values.size(); i++) kernel::narrow(values[i], all[i]);
  return all;
}

template <class V>
float largestDifference(const std::vector<V>& found, const std::vector<float>& defined) {
  float largest = found.size() == defined.size() ? 0 : INFINITY;
  for (size_t i = 0; i < found.size() && i < defined.size(); i++) {
    const float difference = std::fabs(kernel::widened(found[i]) - defined[i]) / (1 + std::fabs(defined[i]));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

template <int BEFORE, class V>
void compare(std::mt19937& random, int frames, const std::vector<int>& counts, bool hasPast, bool keeps) {
  std::normal_distribution<float> normal;
  const auto values = [&](size_t count) {
    std::vector<float> all(count);
    for (float& one : all) one = rounded<V>(normal(random));
    return all;
  };
  const size_t items = counts.size(), rows = static_cast<size_t>(frames) + taps - 1;
  const auto both = values(items * frames * 2 * width), past = values(items * BEFORE * width),
             weights = values(static_cast<size_t>(taps) * width), bias = values(width);

  std::vector<float> convolved(items * rows * width), y(items * frames * width);
  for (size_t i = 0; i < items; i++) {
    for (int c = 0; c < width; c++) {
      for (size_t row = 0; row < rows; row++) {
        float& to = convolved[(i * rows + row) * width + c];
        const int frame = static_cast<int>(row) - BEFORE;
        if (frame < 0 && hasPast) to = past[(i * BEFORE + row) * width + c];
        if (frame < 0 || frame >= counts[i]) continue;
        const float* own = &both[(i * frames + frame) * 2 * width + c];
        to = rounded<V>(own[0] / (1 + std::exp(-own[width])));
      }
      for (int t = 0; t < frames; t++) {
        double sum = bias[c];
        for (int k = 0; k < taps; k++)
          sum += static_cast<double>(weights[k * width + c]) * convolved[(i * rows + t + k) * width + c];
        y[(i * frames + t) * width + c] = static_cast<float>(sum / (1 + std::exp(-sum)));
      }
    }
  }

  std::vector<int> numbers{frames, hasPast, keeps};
  numbers.insert(numbers.end(), counts.begin(), counts.end());
  const auto bothBits = narrowed<V>(both), pastBits = narrowed<V>(past);
  std::vector<V> foundConvolved(convolved.size(), V{}), foundY(y.size(), V{});
  blockDim.x = threads;
  for (blockIdx.z = 0; blockIdx.z < static_cast<int>(items); blockIdx.z++) {
    for (blockIdx.y = 0; blockIdx.y * kernel::framesOfThread < frames; blockIdx.y++) {
      for (blockIdx.x = 0; blockIdx.x * threads < width; blockIdx.x++) {
        for (threadIdx.x = 0; threadIdx.x < threads; threadIdx.x++)
          kernel::convolve<width, taps, BEFORE>(numbers.data(), bothBits.data(), pastBits.data(), weights.data(),
                                                bias.data(), foundConvolved.data(), foundY.data());
      }
    }
  }
  blockDim.x = 1;
  threadIdx.x = blockIdx.x = blockIdx.y = blockIdx.z = 0;
  const float bound = std::is_same_v<V, float> ? 1e-5f : 1e-2f;
  CHECK(largestDifference(foundY, y) < bound);
  // Of the values that are wanted, each is written; of the others none.
  if (!keeps) std::fill(convolved.begin(), convolved.end(), 0.0f);
  CHECK(largestDifference(foundConvolved, convolved) < bound);
}

template <class V>
void compareAll(std::mt19937& random) {
  for (const bool hasPast : {false, true}) {
    for (const bool keeps : {false, true}) {
      compare<4, V>(random, 1, {1}, hasPast, keeps);
      compare<4, V>(random, 16, {16, 3, 0}, hasPast, keeps);
      compare<4, V>(random, 45, {45, 44, 17}, hasPast, keeps);
      compare<8, V>(random, 33, {33, 20}, hasPast, keeps);
    }
  }
}

}  // namespace

void convolutionKernel(std::mt19937& random) {
  compareAll<float>(random);
  compareAll<unsigned short>(random);
}

}  // namespace parakeet::test
