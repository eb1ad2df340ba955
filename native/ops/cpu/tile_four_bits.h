// Weights in four bits (ops/four_bits.h) for the products of tile_kernel.h: a panel is kept in blocks, each a group of
// all its columns, and unpacked to bytes in the order that the product reads just before it is multiplied.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/cpu/tile_kernel.h"
#include "ops/four_bits.h"

namespace parakeet::ops {

// Bytes of a block: [tileColumns] ratios, [tileColumns] zeros, and the codes in the order of the bytes that they
// become, of the columns of the first half below, and of those of the second half above.
constexpr size_t fourBitBlock = 2 * tileColumns + fourBitValues * tileColumns / 2;

// Blocks of `count` groups of a product.
constexpr int fourBitBlocks(ProductKind kind, int count) { return count * groupSize(kind) / fourBitValues; }

// The blocks of a panel, for products of `kind`: values of a column lie together in its groups. `columns`:
// [tileColumns] rows of `count` groups, null for none.
void packFourBits(const FourBitGroup* const* columns, int count, ProductKind kind, uint8_t* blocks);

// The values of `count` blocks that were packed for the kind of product whose operand they become.
void unpackFourBits(const uint8_t* blocks, int count, int8_t* bytes);
void fourBitsToWords(const uint8_t* blocks, int count, int16_t* words);
// y = scale · byte. `scale`: [tileColumns].
void widenFourBits(const uint8_t* blocks, int count, const float* scale, float* y);

}  // namespace parakeet::ops
