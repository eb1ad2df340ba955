#include "ops/cpu/convolution.h"

#include <algorithm>

#include "ops/cpu/vector.h"

namespace parakeet::ops {
namespace {

template <class V>
PARAKEET_INLINE void addScaledBody(float* y, const float* taps, float x, int channels) {
  for (int c = 0; c < channels; c++) y[c] += x * taps[c];
}
PARAKEET_VERSIONS(addScaled, (float* y, const float* taps, float x, int channels), (y, taps, x, channels))

template <class V>
PARAKEET_INLINE void addProductsBody(float* y, const float* taps, const float* x, int channels) {
  for (int c = 0; c < channels; c++) y[c] += x[c] * taps[c];
}
PARAKEET_VERSIONS(addProducts, (float* y, const float* taps, const float* x, int channels), (y, taps, x, channels))

template <class V>
PARAKEET_INLINE void rectifyBody(float* y, int channels) {
  for (int c = 0; c < channels; c++) y[c] = y[c] < 0.0f ? 0.0f : y[c];
}
PARAKEET_VERSIONS(rectify, (float* y, int channels), (y, channels))

}  // namespace

void Convolution3x3::run(const float* x, float* output, int height, int width, int top, int begin, int end,
                         Activation activation) const {
  const int outWidth = (width - 1) / 2 + 1, inputs = depthwise ? channels : 1;
  for (int row = begin; row < end; row++) {
    for (int column = 0; column < outWidth; column++) {
      float* y = output + (static_cast<size_t>(row) * outWidth + column) * channels;
      std::copy(bias.begin(), bias.end(), y);
      for (int tap = 0; tap < 9; tap++) {
        const int h = 2 * row - top + tap / 3, w = 2 * column - 1 + tap % 3;
        if (h < 0 || h >= height || w < 0 || w >= width) continue;
        const float* source = x + (static_cast<size_t>(h) * width + w) * inputs;
        const float* weight = taps.data() + static_cast<size_t>(tap) * channels;
        if (depthwise) {
          addProducts(y, weight, source, channels);
        } else {
          addScaled(y, weight, *source, channels);
        }
      }
      if (activation == Activation::relu) rectify(y, channels);
    }
  }
}

}  // namespace parakeet::ops
