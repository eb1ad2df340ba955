// Activations by MLX's own operations, where none of our kernels fuses them. Not for models.
#pragma once

#include <vector>

#include "ops/types.h"

namespace parakeet::ops {

inline mx::array activate(mx::array x, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return mx::maximum(x, mx::array(0.0f));
    case Activation::silu:
      return x * mx::sigmoid(x);
    case Activation::glu: {
      const std::vector<mx::array> halves = mx::split(x, 2, 1);
      return halves[0] * mx::sigmoid(halves[1]);
    }
    case Activation::none:
      break;
  }
  return x;
}

}  // namespace parakeet::ops
