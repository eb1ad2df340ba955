// Layer norm.
#pragma once

#include "ops/types.h"

namespace parakeet::ops {

// Layer norm over the last axis, epsilon 1e-5: (x − mean) / √(variance + epsilon) · weight + bias.
struct Norm {
  mx::array weight, bias;
  mx::array operator()(const mx::array& x) const;
};

}  // namespace parakeet::ops
