// A linear layer. Its weights are packed for the machine once.
#pragma once

#include <memory>
#include <vector>

#include "ops/types.h"
#include "ops/weight_rows.h"

namespace parakeet::ops {

class CpuMatrix;  // ops/cpu/matrix.h

// y = activation(x · wᵀ + b), weights packed once in `dtype`.
class Linear {
 public:
  // `weight`: [outputs, inputs]. `bias`: [outputs], or empty for none.
  Linear(const WeightRows& weight, const std::vector<float>& bias, DType dtype, const LinearShape& shape = {});
  // x: [rows, inputs] → [rows, outputs].
  mx::array operator()(const mx::array& x, Activation activation = Activation::none) const;
  // The packed weights for the CPU kernels; null elsewhere.
  const CpuMatrix* cpuMatrix() const;

 private:
  class Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace parakeet::ops
