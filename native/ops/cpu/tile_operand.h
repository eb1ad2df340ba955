// The operands of the products of tile_kernel.h in their type, where hasTileKernel: rows of activations, and weights
// that are kept in another.
#pragma once

#include "ops/cpu/pointwise.h"
#include "ops/cpu/product_kind.h"

namespace parakeet::ops {

// `inputs` values as `groups` groups, zeros after them. Whole numbers as quantizeRows, to the bit (bytes less 128 where
// they are signed): sets the row's scale and zero.
void operandRow(ProductKind kind, const float* x, int inputs, int groups, void* row, QuantizedRow* quantized);

// The same in bytes, of values in bfloat16.
void bytesOfNarrowRow(const uint16_t* x, int inputs, int groups, void* row, QuantizedRow* quantized);

// The second operand of products of floats, from weights in bytes: y = scale · x in each of `count` rows of tileColumns
// values. `scale`: [tileColumns].
void widenBytes(const int8_t* x, const float* scale, int count, float* y);
// That of products of words, `count` values: a multiple of 16.
void bytesToWords(const int8_t* bytes, size_t count, int16_t* words);

}  // namespace parakeet::ops
