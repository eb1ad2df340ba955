// Matrix times vector in plain memory, for the decoder's one-row-at-a-time products.
#pragma once

namespace parakeet::ops {

// y[r] = bias[r] + Σ_c weight[r, c] · x[c]; `bias` may be null.
void matvec(const float* weight, const float* bias, const float* x, float* y, int rows, int columns);

}  // namespace parakeet::ops
