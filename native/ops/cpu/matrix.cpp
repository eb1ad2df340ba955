#ifdef PARAKEET_ONEDNN

#include "ops/cpu/matrix.h"

#include <algorithm>

#include "ops/cpu/packed_matrix.h"
#include "ops/cpu/pool.h"
#include "ops/cpu/tile_matrix.h"

namespace parakeet::ops {

std::shared_ptr<const CpuMatrix> makeCpuMatrix(const std::vector<float>& weight, const std::vector<float>& bias,
                                               int outputs, int inputs, DType dtype, const LinearShape& shape) {
  if (TileMatrix::serves(dtype)) return std::make_shared<TileMatrix>(weight, bias, outputs, inputs, dtype, shape);
  return std::make_shared<PackedMatrix>(weight, bias, outputs, inputs, dtype, shape);
}

void feedForward(const CpuMatrix& up, const CpuMatrix& down, const MatrixInput& input, float* y, float scale) {
  constexpr int blockRows = 480;
  const size_t stride = down.inputStride();
  thread_local std::vector<float> hidden;  // of the largest block so far
  hidden.resize(std::max(hidden.size(), stride * std::min(blockRows, input.rows)));
  for (int first = 0; first < input.rows && !givenUp(); first += blockRows) {
    MatrixInput block = input;
    block.x += first * input.stride;
    block.rows = std::min(blockRows, input.rows - first);
    up.multiply(block, {hidden.data(), stride, 0, Activation::silu});
    down.multiply({hidden.data(), stride, block.rows},
                  {y + first * input.stride, input.stride, 0, Activation::none, scale, block.x});
  }
}

}  // namespace parakeet::ops

#endif
