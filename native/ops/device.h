// Which device computes. Decided once for a process, before the first model is loaded.
#pragma once

#include <mlx/mlx.h>

#include <cstddef>
#include <string>

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

// Before anything else is asked of MLX: float32 products are to be float32, not TF32, unless MLX_ENABLE_TF32 says so;
// and kernels are launched one by one, not as CUDA graphs, unless MLX_USE_CUDA_GRAPHS says so: a small product is
// captured for a graph in 21 µs, which is longer than it takes (a live step of the 0.6b size on an H200: 15.1 ms
// instead of 18.8).
void prepareDevices();

// Whether this build has a GPU backend and finds a GPU.
bool gpuAvailable();
// Throws std::invalid_argument for a GPU where there is none.
void useGpu(bool gpu);

struct GpuFacts {
  std::string name;
  size_t memory = 0;  // bytes
};
// Of the GPU that is available.
GpuFacts gpuFacts();

}  // namespace parakeet::ops
