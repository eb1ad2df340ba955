// A weight matrix in plain rows, for the decoder's products with one or a few vectors: there the time goes into
// reading the weights, so they are kept narrow, and each row is read once for all vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ops/dtype.h"

namespace parakeet::ops {

class RowMatrix {
 public:
  RowMatrix() = default;
  // `weight`: [rows, columns]; `bias`: [rows], or empty for none. Bytes would be too coarse: every
  // type but float32 is bfloat16 here, and so is float32 where that loses nothing.
  RowMatrix(const std::vector<float>& weight, std::vector<float> bias, int rows, int columns, DType dtype);

  // y[i, r] = bias[r] + Σ_c weight[r, c] · x[i, c] for i < count. Each y[i] is the same whatever `count` is.
  void multiply(const float* x, int count, float* y) const;
  void multiply(const std::vector<float>& x, std::vector<float>& y) const { multiply(x.data(), 1, y.data()); }

  // Row `r` as float32 to `y` [columns].
  void row(int r, float* y) const;

 private:
  int rows_ = 0, columns_ = 0;
  std::vector<float> wide_;       // float32
  std::vector<uint16_t> narrow_;  // bfloat16
  std::vector<float> bias_;
};

}  // namespace parakeet::ops
