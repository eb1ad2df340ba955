// Loops over rows that need no library: layer norm, the ends of products, depthwise convolution in time, quantisation,
// and the soft part of attention. Row-major. Each works on the caller's thread; the caller splits the rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ops/types.h"

namespace parakeet::ops {

// y = (x − mean) / √(variance + 1e-5) · weight + bias, for each row.
void layerNormRows(const float* x, const float* weight, const float* bias, float* y, int rows, int channels);

// y[t, c] = bias[c] + Σ_k x[t + k, c] · weight[k, c].
void depthwise(const float* x, const float* weight, const float* bias, float* y, int frames, int channels, int kernel);
// The same through SiLU.
void depthwiseSilu(const float* x, const float* weight, const float* bias, float* y, int frames, int channels,
                   int kernel);

// x = silu(x).
void siluRows(float* x, int rows, int channels);

// row[j] = softmax(row + add) over [begin, end); the rest of the row becomes 0. `add` may be null.
void softmaxRange(float* row, const float* add, int length, int begin, int end);

// Rows of activations as unsigned bytes: x ≈ scale · (q − zero). The range of each row holds 0.
struct QuantizedRow {
  float scale;
  int32_t zero;
};
void quantizeRows(const float* x, uint8_t* q, QuantizedRow* row, int rows, int columns);

// What comes after a product, for one tile of it.
struct TileEnd {
  int rows, columns;  // of the result
  int gate = 0;       // with Activation::glu: where the gates stand in the row of the product
  int ldAccumulator;
  const float* bias;  // as the product's columns
  // Products of bytes: of each row, and of each column its scale and the sum of its weights; null for floats.
  const QuantizedRow* quantized = nullptr;
  const float* columnScale = nullptr;
  const int32_t* columnSum = nullptr;
  Activation activation = Activation::none;
  float* output = nullptr;  // at the tile's corner
  size_t ldOutput = 0;
  const float* residual = nullptr;  // at the tile's corner, laid out as the output; may be null
  float scale = 1.0f;               // of the result, before the residual is added
};

// output = residual + scale · activation(product + bias), where the product is `accumulator` (float), or of bytes
// (int32) row scale · column scale · (accumulator − row zero · column sum). With Activation::glu: a · sigmoid(g).
void finishTile(const void* accumulator, const TileEnd& end);

// Rounds to nearest, ties to even; NaN stays NaN.
void toBfloat16(const float* x, uint16_t* y, size_t count);
std::vector<uint16_t> toBfloat16(const std::vector<float>& x);
void fromBfloat16(const uint16_t* x, float* y, size_t count);
// y[r, c] = scale[c] · x[r, c].
void fromBytes(const int8_t* x, const float* scale, float* y, int rows, int columns);

}  // namespace parakeet::ops
