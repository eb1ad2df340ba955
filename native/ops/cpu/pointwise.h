// Loops over rows that need no library: layer norm, the ends of products, depthwise convolution in time, quantisation,
// and the soft part of attention. Row-major. Each works on the caller's thread; the caller splits the rows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/ops.h"

namespace parakeet::ops {

// y = (x − mean) / √(variance + 1e-5) · weight + bias, for each row.
void layerNormRows(const float* x, const float* weight, const float* bias, float* y, int rows, int channels);

// y[t, c] = silu(bias[c] + Σ_k x[t + k, c] · weight[k, c]).
void depthwiseSilu(const float* x, const float* weight, const float* bias, float* y, int frames, int channels,
                   int kernel);

// row[j] = softmax(row + add) over [begin, end); the rest of the row becomes 0. `add` may be null.
void softmaxRange(float* row, const float* add, int length, int begin, int end);

// What comes after a product, for one tile of it.
struct TileEnd {
  int rows, columns;
  int ldAccumulator;
  const float* bias = nullptr;  // of the tile's columns; may be null
  Activation activation = Activation::none;
  float* output = nullptr;  // at the tile's corner
  int ldOutput = 0;
  const float* residual = nullptr;  // at the tile's corner, laid out as the output; may be null
  float scale = 1.0f;               // of the result, before the residual is added
};

// output = residual + scale · activation(accumulator + bias). With Activation::glu the tile's columns are two halves
// a and g, and output = residual + scale · a · sigmoid(g) has half as many.
void finishTile(const float* accumulator, const TileEnd& end);

// Rows of activations as unsigned bytes: x ≈ scale · (q − zero). The range of each row holds 0.
struct QuantizedRow {
  float scale;
  int32_t zero;
};
void quantizeRows(const float* x, uint8_t* q, QuantizedRow* row, int rows, int columns);

// accumulator (float, in place of the int32 sums) = row scale · column scale · (sum − zero · column sum).
void dequantizeTile(const int32_t* sums, float* accumulator, const QuantizedRow* row, const float* columnScale,
                    const int32_t* columnSum, int rows, int columns);

// Rounds to nearest, ties to even; NaN stays NaN.
void toBfloat16(const float* x, uint16_t* y, size_t count);
void fromBfloat16(const uint16_t* x, float* y, size_t count);
// y[r, c] = scale[c] · x[r, c].
void fromBytes(const int8_t* x, const float* scale, float* y, int rows, int columns);

}  // namespace parakeet::ops
