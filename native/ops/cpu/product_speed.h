// How fast this machine multiplies: the bound that the encoder is measured against.
#pragma once

#ifdef PARAKEET_CPU_KERNELS

#include "ops/dtype.h"

namespace parakeet::ops {

struct ProductShape {
  int rows, inputs, outputs;
};

// Floating-point operations per second (two for each multiply-add) of bare products of the shape on all threads of the
// pool: the best of oneDNN's with several widths of panels and of our own tiles, each measured for about `seconds`.
// Types that the CPU has no products for are measured as float32, which stands in for them. On the engine's thread.
double productSpeed(DType dtype, const ProductShape& shape, double seconds);

}  // namespace parakeet::ops

#endif
