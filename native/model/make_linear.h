// A linear layer of a model's tensors, for our CPU kernels.
#pragma once

#include <utility>

#include "model/layer_weights.h"
#include "ops/linear.h"

namespace parakeet {

inline ops::Linear makeLinear(LinearTensors tensors, ops::DType dtype, const ops::LinearShape& shape = {}) {
  return ops::Linear(std::move(tensors.weight), std::move(tensors.bias), dtype, shape);
}

}  // namespace parakeet
