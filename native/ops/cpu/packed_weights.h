// Matrices as this CPU multiplies them, to be kept in a file.
#pragma once

#ifdef PARAKEET_CPU_KERNELS

#include <vector>

#include "ops/packed_layout.h"
#include "ops/types.h"
#include "ops/weight_rows.h"

namespace parakeet::ops {

// The layout of a matrix for products in `dtype`, and a copy of `rows` in it. `gated`: LinearShape's. Not of int4.
PackedLayout packedLayout(int rows, int columns, DType dtype, bool gated);
std::vector<char> packWeights(const WeightRows& rows, DType dtype, bool gated);

}  // namespace parakeet::ops

#endif
