// One head of relative-position attention with the tile kernels of tile_kernel.h. See ops.h for the formula.
#pragma once

#ifdef PARAKEET_CPU_KERNELS

#include "ops/cpu/attention.h"
#include "ops/cpu/product_kind.h"

namespace parakeet::ops {

// The table of positions, packed for all heads: of each head panels of tileColumns rows as the columns of a product,
// with rows of zeros before the first row and after the last one, so that a block's positions may begin and end
// outside.
int positionPanels(int rows);
size_t packedPositionsSize(ProductKind kind, int rows, int width, int heads);  // 32-bit words
void packPositions(ProductKind kind, const float* table, int rows, int width, int heads, void* packed);

// `kind`: float32 or bfloat16, one that hasTileKernel.
void attendHeadInTiles(ProductKind kind, const AttentionInput& item, const AttentionShape& shape, int head);

}  // namespace parakeet::ops

#endif
