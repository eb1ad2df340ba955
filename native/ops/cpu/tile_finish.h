// What follows a product of tile_kernel.h, while the tile is in the first-level cache: finishTile (pointwise.h) in
// AVX-512.
#pragma once

#include "ops/cpu/pointwise.h"

namespace parakeet::ops {

// As finishTile, for tiles of at most tileColumns columns; only where hasTileKernel. Sigmoids are exact to 1e-6.
void finishTileAvx512(const void* accumulator, const TileEnd& end);

}  // namespace parakeet::ops
