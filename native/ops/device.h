// Which device computes. Decided once, before the first model is loaded.
#pragma once

#include <mlx/mlx.h>

#include "ops/dtype.h"

namespace parakeet::ops {

inline bool onGpu() { return mlx::core::default_device() == mlx::core::Device::gpu; }

// Whether our own CPU kernels do the work. Only where the addon was built with them.
inline bool onCpu() { return !onGpu(); }

// The type of what passes between MLX's own operations. On a GPU everything around a product reads and writes memory,
// so bfloat16 weights come with bfloat16 activations; a CPU gains nothing by that.
inline mlx::core::Dtype activationType(DType dtype) {
  return onGpu() && dtype != DType::float32 ? mlx::core::bfloat16 : mlx::core::float32;
}

}  // namespace parakeet::ops
