// The CUDA kernels of the subsampling (ops/padded/subsampling.cuh), run on the CPU against the definition.
#include <algorithm>
#include <cmath>
#include <random>
#include <type_traits>
#include <vector>

#include "ops/convolved_size.h"
#include "test/cases.h"
#include "test/check.h"
#include "test/one_lane.h"

namespace cuda_subsampling {

using namespace one_lane;

#define __device__
#define __shared__ static
#define __align__(bytes) __attribute__((aligned(bytes)))
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#include "ops/bfloat16.cuh"

#include "ops/padded/subsampling.cuh"
#pragma GCC diagnostic pop
#undef __device__
#undef __shared__
#undef __align__

}  // namespace cuda_subsampling

namespace parakeet::test {
namespace {

namespace kernel = cuda_subsampling::parakeet_subsampling;
using Values = std::vector<float>;

constexpr int channels = 5, levels = 3;

struct Convolution {
  Values taps;  // [9, channels]
  Values bias;
};

// [rows, columns, channels]
struct Image {
  int rows, columns;
  Values values;
  float at(int row, int column, int channel) const {
    if (row < 0 || row >= rows || column < 0 || column >= columns) return 0;
    return values[(static_cast<size_t>(row) * columns + column) * channels + channel];
  }
};

// A depthwise 3 × 3 convolution of stride 2, its first window at row 0 and at column −`padding`.
Image convolved(const Image& x, const Convolution& by, int padding) {
  Image y{(x.rows - 1) / 2, ops::convolvedWidth(x.columns, padding), {}};
  for (int r = 0; r < y.rows; r++) {
    for (int c = 0; c < y.columns; c++) {
      for (int n = 0; n < channels; n++) {
        double sum = by.bias[n];
        for (int k = 0; k < 9; k++)
          sum += static_cast<double>(by.taps[k * channels + n]) * x.at(2 * r + k / 3, 2 * c + k % 3 - padding, n);
        y.values.push_back(static_cast<float>(sum));
      }
    }
  }
  return y;
}

// relu, and zeros in the rows that an item does not have.
void limit(Image& x, int begin, int end) {
  for (int r = 0; r < x.rows; r++) {
    for (int i = 0; i < x.columns * channels; i++) {
      float& value = x.values[static_cast<size_t>(r) * x.columns * channels + i];
      value = r < begin || r >= end ? 0 : std::max(0.0f, value);
    }
  }
}

template <class V>
std::vector<V> narrowed(const Values& values) {
  std::vector<V> all(values.size());
  for (size_t i = 0; i < values.size(); i++) kernel::narrow(values[i], all[i]);
  return all;
}

template <class V>
float rounded(float value) {
  V narrow;
  kernel::narrow(value, narrow);
  return kernel::widened(narrow);
}

template <int PADDING, int FEATURES, class V>
void compare(std::mt19937& random, int frames, const std::vector<int>& limits) {
  std::normal_distribution<float> normal;
  const auto make = [&](size_t count) {
    Values all(count);
    for (float& one : all) one = rounded<V>(normal(random));
    return all;
  };
  constexpr int width1 = ops::convolvedWidth(FEATURES, PADDING), width2 = ops::convolvedWidth(width1, PADDING),
                width3 = ops::convolvedWidth(width2, PADDING);
  const int items = static_cast<int>(limits.size()) / (2 * levels), rows = 8 * frames + 8;
  const int columns = std::max(4 * (width2 + 1), 3 * PADDING + FEATURES);
  Convolution by[levels];
  for (Convolution& one : by) one = {make(size_t{9} * channels), make(channels)};
  const auto weightsOf = [&](std::initializer_list<int> which) {
    Values all;
    for (const int i : which) {
      all.insert(all.end(), by[i].taps.begin(), by[i].taps.end());
      all.insert(all.end(), by[i].bias.begin(), by[i].bias.end());
    }
    return all;
  };
  const int high2 = 2 * frames + 1;
  Values mel(static_cast<size_t>(items) * rows * columns), second, third, x3;
  for (int i = 0; i < items; i++) {
    const int* own = &limits[i * 2 * levels];
    const Values signal = make(static_cast<size_t>(rows) * FEATURES);
    Image image{rows, FEATURES, Values(static_cast<size_t>(rows) * FEATURES * channels)};
    for (int r = 0; r < rows; r++) {
      for (int f = 0; f < FEATURES; f++) {
        mel[(static_cast<size_t>(i) * rows + r) * columns + 3 * PADDING + f] = signal[r * FEATURES + f];
        for (int n = 0; n < channels; n++)
          image.values[(static_cast<size_t>(r) * FEATURES + f) * channels + n] = signal[r * FEATURES + f];
      }
    }
    Image y = convolved(image, by[0], PADDING);
    limit(y, own[0], own[1]);
    y = convolved(y, by[1], PADDING);
    second.insert(second.end(), y.values.begin(), y.values.end());
    for (float& value : y.values) value = rounded<V>(value);
    x3.insert(x3.end(), y.values.begin(), y.values.end());
    limit(y, own[2], own[3]);
    y = convolved(y, by[2], PADDING);
    third.insert(third.end(), y.values.begin(), y.values.end());
  }

  const auto check = [&](const std::vector<V>& found, const Values& defined) {
    float largest = found.size() == defined.size() ? 0 : INFINITY;
    for (size_t i = 0; i < found.size() && i < defined.size(); i++) {
      const float difference = std::fabs(kernel::widened(found[i]) - defined[i]) / (1 + std::fabs(defined[i]));
      if (!(difference <= largest)) largest = difference;
    }
    CHECK(largest < (std::is_same_v<V, float> ? 1e-5f : 1e-2f));
  };
  const auto blocks = [](int width) { return (width + kernel::columnsOfBlock - 1) / kernel::columnsOfBlock; };
  const auto numbersOf = [&](int rowsIn, int columnsIn, int rowsOut, int columnsOut) {
    std::vector<int> numbers{levels, rowsIn, columnsIn, rowsOut, columnsOut};
    numbers.insert(numbers.end(), limits.begin(), limits.end());
    return numbers;
  };
  {
    const auto numbers = numbersOf(rows, columns, high2, width2);
    const auto bits = narrowed<V>(mel);
    const Values weights = weightsOf({0, 1});
    std::vector<V> found(second.size());
    cuda_subsampling::runGrid(blocks(width2), high2, items, [&] {
      kernel::firstTwo<channels, PADDING, width1>(numbers.data(), bits.data(), weights.data(), found.data());
    });
    check(found, second);
  }
  const auto numbers = numbersOf(high2, width2, frames, width3);
  const auto bits = narrowed<V>(x3);
  const Values weights = weightsOf({2});
  std::vector<V> found(third.size());
  cuda_subsampling::runGrid(blocks(width3), frames, items, [&] {
    kernel::depthwise<channels, PADDING>(numbers.data(), 2, bits.data(), weights.data(), found.data());
  });
  check(found, third);
}

template <class V>
void compareAll(std::mt19937& random) {
  // Of each item and level the rows that it has: all, those after a start, and none at the end.
  compare<1, 80, V>(random, 2, {0, 11, 0, 5, 0, 2, 3, 9, 1, 4, 1, 2});
  compare<1, 128, V>(random, 3, {7, 15, 3, 7, 0, 3});
  compare<2, 128, V>(random, 2, {6, 11, 2, 5, 0, 2, 0, 4, 0, 2, 0, 1});
  compare<2, 20, V>(random, 1, {0, 7, 0, 3, 0, 1});
}

}  // namespace

void subsamplingKernels(std::mt19937& random) {
  compareAll<float>(random);
  compareAll<unsigned short>(random);
}

}  // namespace parakeet::test
