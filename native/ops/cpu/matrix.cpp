#ifdef PARAKEET_CPU_KERNELS

#include "ops/cpu/matrix.h"

#include "ops/cpu/tile_matrix.h"

namespace parakeet::ops {

std::shared_ptr<const CpuMatrix> makeCpuMatrix(const WeightRows& weight, const std::vector<float>& bias, DType dtype,
                                               const LinearShape& shape) {
  return std::make_shared<TileMatrix>(weight, bias, dtype, shape);
}

}  // namespace parakeet::ops

#endif
