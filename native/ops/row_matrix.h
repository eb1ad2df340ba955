// A weight matrix for the decoder's products with one or a few vectors: there the time goes into reading the weights,
// so they are kept narrow, in the order in which they are read, and read once for all vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ops/cpu/weight_buffer.h"
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

 private:
  int rows_ = 0, columns_ = 0;
  // Blocks of 32 rows, [columns, 32] each, zeros below the last row: a register holds one column of many rows, so that
  // nothing has to be summed across it. In bfloat16, rows r and r + 16 lie together as halves of one word.
  WeightBuffer<float> wide_;       // float32
  WeightBuffer<uint16_t> narrow_;  // bfloat16
  std::vector<float> bias_;        // of all blocks' rows
};

// Rows that are looked up, not multiplied: the embedding of tokens.
class RowTable {
 public:
  // `weight`: [rows, columns], kept in the type that RowMatrix would keep it in.
  RowTable(const std::vector<float>& weight, int columns, DType dtype);
  // Row `r` as float32 to `y` [columns].
  void row(int r, float* y) const;

 private:
  int columns_;
  std::vector<float> wide_;
  std::vector<uint16_t> narrow_;
};

}  // namespace parakeet::ops
