// An MLX primitive whose CPU evaluation is a function over raw pointers: the way our own kernels enter MLX's graph.
// Not for kernels that need more than one output.
#pragma once

#include <mlx/mlx.h>
#include <mlx/primitives.h>

#include <functional>
#include <vector>

namespace parakeet::ops {

// Inputs are row-contiguous float32; `output` is uninitialised. Runs on MLX's stream thread.
using KernelFunction = std::function<void(const std::vector<const float*>& inputs, float* output)>;

// The lazily computed output of `run` over `inputs`. `name` is for MLX's printouts.
mlx::core::array cpuKernel(const char* name, std::vector<mlx::core::array> inputs, mlx::core::Shape shape,
                           KernelFunction run);

}  // namespace parakeet::ops
