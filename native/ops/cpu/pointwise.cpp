#include "ops/cpu/pointwise.h"

#include <algorithm>
#include <cmath>

namespace parakeet::ops {

void layerNormRows(const float* x, const float* weight, const float* bias, float* y, int rows, int channels) {
  for (int r = 0; r < rows; r++, x += channels, y += channels) {
    double sum = 0;
    for (int c = 0; c < channels; c++) sum += x[c];
    const float mean = static_cast<float>(sum / channels);
    double squares = 0;
    for (int c = 0; c < channels; c++) squares += static_cast<double>(x[c] - mean) * (x[c] - mean);
    const float scale = static_cast<float>(1.0 / std::sqrt(squares / channels + 1e-5));
    for (int c = 0; c < channels; c++) y[c] = (x[c] - mean) * scale * weight[c] + bias[c];
  }
}

void gluRows(const float* x, float* y, int rows, int channels) {
  for (int r = 0; r < rows; r++, x += 2 * channels, y += channels) {
    for (int c = 0; c < channels; c++) y[c] = x[c] / (1.0f + std::exp(-x[channels + c]));
  }
}

void depthwiseSilu(const float* x, const float* weight, const float* bias, float* y, int frames, int channels,
                   int kernel) {
  for (int t = 0; t < frames; t++, y += channels) {
    std::copy(bias, bias + channels, y);
    for (int k = 0; k < kernel; k++) {
      const float* row = x + static_cast<long>(t + k) * channels;
      const float* taps = weight + static_cast<long>(k) * channels;
      for (int c = 0; c < channels; c++) y[c] += row[c] * taps[c];
    }
    for (int c = 0; c < channels; c++) y[c] = y[c] / (1.0f + std::exp(-y[c]));
  }
}

void softmaxRange(float* row, int length, int begin, int end) {
  const float peak = *std::max_element(row + begin, row + end);
  float sum = 0;
  for (int j = begin; j < end; j++) sum += row[j] = std::exp(row[j] - peak);
  for (int j = begin; j < end; j++) row[j] /= sum;
  std::fill(row, row + begin, 0.0f);
  std::fill(row + end, row + length, 0.0f);
}

}  // namespace parakeet::ops
