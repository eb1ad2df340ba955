// What follows a product of tile_kernel.h, while the tile is in the first-level cache: finishTile (pointwise.h), in
// AVX-512 where there is that.
#pragma once

#include "ops/cpu/pointwise.h"

namespace parakeet::ops {

// As finishTile, for tiles of at most tileColumns columns; only where hasTileKernel. Sigmoids are exact to 1e-6, after
// products of bytes to 1e-4.
void finishProduct(const void* accumulator, const TileEnd& end);

// silu(product + bias) in bfloat16, of products of bfloat16 or bytes; only where hasTileKernel of bfloat16. `end` tells
// the rest of the product, not the output. Sigmoids are exact to 1e-4.
void siluProduct(const void* accumulator, const TileEnd& end, uint16_t* output, size_t stride);

}  // namespace parakeet::ops
