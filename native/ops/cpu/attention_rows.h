// What attention does with rows between its products, in the types of tile_kernel.h: float32 or bfloat16.
#pragma once

#include <cstddef>

#include "ops/cpu/product_kind.h"

namespace parakeet::ops {

// tileColumns rows as the columns of a product: `packed` is [groups][tileColumns] groups, of which group g, column c
// holds values g · groupSize … of row c. A null row is zeros, as is what lies beyond `size`.
void packColumns(ProductKind kind, const float* const* rows, int size, int groups, void* packed);

// `count` rows [size] as the inner dimension of a product: `packed` is [groups][columns] groups, of which group g,
// column c holds values `first` + c of rows g · groupSize …; zeros beyond the rows and beyond `size`.
void packInner(ProductKind kind, const float* const* rows, int count, int first, int size, int groups, void* packed);

// y = (x + bias) · scale, `size` values and zeros up to `groups` groups.
void biasedRow(ProductKind kind, const float* x, const float* bias, float scale, int size, int groups, void* y);

// weights[j] = e^(s[j] − max s) for j in [begin, end), s = content + distance; 0 elsewhere in `groups` groups. Returns
// one over their sum. Overwrites `content`. The three rows go on to the end of the cache line that `end` is in.
float softmaxRow(ProductKind kind, float* content, const float* distance, int begin, int end, int groups,
                 void* weights);

}  // namespace parakeet::ops
