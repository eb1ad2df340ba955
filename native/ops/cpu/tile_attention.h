// One head of relative-position attention with the tile kernels of tile_kernel.h. See ops.h for the formula.
#pragma once

#ifdef PARAKEET_ONEDNN

#include "ops/cpu/attention.h"
#include "ops/cpu/product_kind.h"

namespace parakeet::ops {

// `kind`: float32 or bfloat16, one that hasTileKernel.
void attendHeadInTiles(ProductKind kind, const AttentionInput& item, const AttentionShape& shape, int head);

}  // namespace parakeet::ops

#endif
