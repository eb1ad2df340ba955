// The products of the encoder on a CPU: weights packed once in the compute type, in panels of columns that fit into a
// core's cache together with the tile of results, which is finished (bias, activation, residual) while it is there.
#pragma once

#ifdef PARAKEET_ONEDNN

#include <memory>
#include <vector>

#include "ops/dtype.h"
#include "ops/ops.h"

namespace parakeet::ops {

class PackedMatrix {
 public:
  // `weight`: [outputs, inputs] row-major; `bias`: [outputs], or empty. `gated`: the outputs are two halves that
  // Activation::glu joins, so there are half as many.
  PackedMatrix(const std::vector<float>& weight, std::vector<float> bias, int outputs, int inputs, DType dtype,
               bool gated);
  ~PackedMatrix();

  // Columns of the result.
  int outputs() const;
  // output[rows, outputs] = residual + scale · activation(x[rows, inputs] · weightᵀ + bias), split over the pool.
  // `residual` may be null.
  void multiply(const float* x, const float* residual, float* output, int rows, Activation activation,
                float scale) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parakeet::ops

#endif
