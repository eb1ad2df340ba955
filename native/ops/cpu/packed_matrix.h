// The encoder's weights for oneDNN's products, where the CPU has no tile kernel for their type (tile_matrix.h): panels
// of columns that fit into a core's cache together with the tile of results.
#pragma once

#ifdef PARAKEET_ONEDNN

#include <memory>
#include <vector>

#include "ops/cpu/matrix.h"

namespace parakeet::ops {

class PackedMatrix : public CpuMatrix {
 public:
  PackedMatrix(const std::vector<float>& weight, const std::vector<float>& bias, int outputs, int inputs, DType dtype,
               const LinearShape& shape);
  ~PackedMatrix() override;

  int outputs() const override;
  // The input's rows lie without gaps.
  void multiply(const MatrixInput& input, const MatrixOutput& output) const override;
  void feedForward(const CpuMatrix& down, const MatrixInput& input, float* y, float scale) const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parakeet::ops

#endif
