// A linear layer on MLX's own products.
#pragma once

#include <optional>
#include <vector>

#include "ops/types.h"

namespace parakeet::ops {

// y = x · wᵀ + b. The weights are float32, bfloat16, or bytes in MLX's groups (affine, with a scale and a bias each).
// Rows are of the activations' type (ops/device.h) before and after.
class Dense {
 public:
  // `weight`: [outputs, inputs] row-major. `bias`: [outputs], or empty for none.
  Dense(const std::vector<float>& weight, const std::vector<float>& bias, int outputs, int inputs, DType dtype);

  // x: [rows, inputs] → [rows, outputs].
  mx::array operator()(const mx::array& x) const;
  // residual + scale · y, without a bias.
  mx::array addTo(const mx::array& residual, const mx::array& x, float scale = 1) const;

 private:
  mx::array product(const mx::array& x) const;

  DType dtype_;
  int group_ = 0;     // values that share a scale; 0 for weights that are not bytes
  mx::array weight_;  // [inputs, outputs], or bytes
  std::optional<mx::array> scales_, offsets_, bias_;
};

}  // namespace parakeet::ops
