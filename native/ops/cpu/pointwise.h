// Loops over rows that need no library: layer norm, gated linear unit, depthwise convolution in time, and the soft part
// of attention. Row-major float32.
#pragma once

namespace parakeet::ops {

// y = (x − mean) / √(variance + 1e-5) · weight + bias, for each row.
void layerNormRows(const float* x, const float* weight, const float* bias, float* y, int rows, int channels);

// y[r, c] = x[r, c] · sigmoid(x[r, channels + c]).
void gluRows(const float* x, float* y, int rows, int channels);

// y[t, c] = silu(bias[c] + Σ_k x[t + k, c] · weight[k, c]).
void depthwiseSilu(const float* x, const float* weight, const float* bias, float* y, int frames, int channels,
                   int kernel);

// Softmax in place over `row[begin, end)`; the rest of the row becomes 0.
void softmaxRange(float* row, int length, int begin, int end);

}  // namespace parakeet::ops
