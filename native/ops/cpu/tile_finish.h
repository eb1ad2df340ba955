// What follows a product of tile_kernel.h, while the tile is in the first-level cache: finishTile (pointwise.h), in
// AVX-512 where there is that.
#pragma once

#include "ops/cpu/pointwise.h"

namespace parakeet::ops {

// As finishTile, for tiles of at most tileColumns columns; only where hasTileKernel. Sigmoids are exact to 1e-6.
void finishProduct(const void* accumulator, const TileEnd& end);

// silu(product + bias) of products of bfloat16, in that type. `end` tells the rest of the product, not the output.
void siluProduct(const void* accumulator, const TileEnd& end, uint16_t* output, size_t stride);

}  // namespace parakeet::ops
