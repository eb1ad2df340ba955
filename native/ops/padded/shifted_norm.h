// Layer norm of x + shift, with the same shift for all rows: a block's residual is kept without the biases that were
// added to it (padded/block.h), which is a kernel less for each of them.
#pragma once

#include <mlx/mlx.h>

#include <memory>
#include <optional>
#include <vector>

#include "ops/norm.h"

namespace parakeet::ops {

// The CUDA kernel (shifted_norm.cuh), compiled once for a model.
class ShiftedNormKernel {
 public:
  // Null where there is no CUDA card, or where rows cannot be read four values at a time. `type` is the activations'.
  static std::shared_ptr<const ShiftedNormKernel> make(int width, mx::Dtype type);

  // x: [rows, width]; shift, weight and bias: [width], float32.
  mx::array operator()(const mx::array& x, const mx::array& shift, const mx::array& weight,
                       const mx::array& bias) const;

 private:
  ShiftedNormKernel(int width, mx::Dtype type);

  mx::Dtype type_;
  mx::fast::CustomKernelFunction run_;
};

class ShiftedNorm {
 public:
  // `shift`: [width], or empty for none. `kernel`: null where there is none. Arrays are in the activations' type.
  ShiftedNorm(Norm norm, const std::vector<float>& shift, std::shared_ptr<const ShiftedNormKernel> kernel);
  // x: [rows, width].
  mx::array operator()(const mx::array& x) const;
  // What it is made of.
  std::vector<mx::array> arrays() const;

 private:
  Norm norm_;
  std::optional<mx::array> shift_;
  std::shared_ptr<const ShiftedNormKernel> kernel_;
};

}  // namespace parakeet::ops
