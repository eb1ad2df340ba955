// A weight matrix of the encoder on a CPU, packed once in the compute type, and the products with it. What comes before
// a product (layer norm) and after it (bias, activation, residual) is done on the way, while rows are in the cache.
#pragma once

#ifdef PARAKEET_CPU_KERNELS

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "ops/types.h"
#include "ops/weight_rows.h"

namespace parakeet::ops {

struct MatrixInput {
  const float* x;  // [rows, inputs]
  size_t stride;   // values from one row to the next
  int rows;
  const float* normWeight = nullptr;  // [inputs]: the rows are layer-normalised first
  const float* normBias = nullptr;

  // At most `most` rows from `first` on.
  MatrixInput block(int first, int most) const {
    MatrixInput part = *this;
    part.x += first * stride;
    part.rows = std::min(most, rows - first);
    return part;
  }
};

// y = residual + scale · activation(product + bias).
struct MatrixOutput {
  float* y;       // [rows, outputs]; the parts of the outputs are stacked, each [rows, outputs / parts]
  size_t stride;  // values from one row to the next
  size_t partStride = 0;
  Activation activation = Activation::none;
  float scale = 1.0f;
  const float* residual = nullptr;  // laid out as y; may be y
};

// All are split over the pool.
class CpuMatrix {
 public:
  virtual ~CpuMatrix() = default;
  // Columns of the result, all parts together.
  virtual int outputs() const = 0;
  // Threads that wait meanwhile fetch the first weights of the next product.
  virtual void willMultiply() const = 0;
  virtual void multiply(const MatrixInput& input, const MatrixOutput& output) const = 0;
  // y = x + scale · down(silu(this(norm(x)))), rows as those of the input. A few hundred rows at a time, so that what
  // lies between the two products does not grow with the signal. `down` was made for the same type.
  virtual void feedForward(const CpuMatrix& down, const MatrixInput& input, float* y, float scale) const = 0;
};

// `weight`: [outputs, inputs]; `bias`: [outputs], or empty.
std::shared_ptr<const CpuMatrix> makeCpuMatrix(const WeightRows& weight, const std::vector<float>& bias, DType dtype,
                                               const LinearShape& shape);

}  // namespace parakeet::ops

#endif
