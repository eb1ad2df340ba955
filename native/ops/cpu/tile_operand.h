// The first operand of the products of tile_kernel.h: rows of activations in their type. Only where hasTileKernel.
#pragma once

#include "ops/cpu/pointwise.h"
#include "ops/cpu/product_kind.h"

namespace parakeet::ops {

// `inputs` values as `groups` groups, zeros after them. In bytes as quantizeRows, to the bit (less 128 where they are
// signed): sets the row's scale and zero.
void operandRow(ProductKind kind, const float* x, int inputs, int groups, void* row, QuantizedRow* quantized);

// The same in bytes, of values in bfloat16.
void bytesOfNarrowRow(const uint16_t* x, int inputs, int groups, void* row, QuantizedRow* quantized);

}  // namespace parakeet::ops
