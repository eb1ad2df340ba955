// An MLX primitive whose CPU evaluation is a function over raw pointers: the way our own kernels enter MLX's graph.
#pragma once

#include <mlx/mlx.h>
#include <mlx/primitives.h>

#include <functional>
#include <vector>

namespace parakeet::ops {

// Inputs are row-contiguous float32; outputs are uninitialised. Runs on MLX's stream thread.
using KernelFunction = std::function<void(const std::vector<const float*>& inputs, float* output)>;
using KernelsFunction =
    std::function<void(const std::vector<const float*>& inputs, const std::vector<float*>& outputs)>;

// The lazily computed output of `run` over `inputs`. `name` is for MLX's printouts.
mlx::core::array cpuKernel(const char* name, std::vector<mlx::core::array> inputs, mlx::core::Shape shape,
                           KernelFunction run);
// The same with several outputs.
std::vector<mlx::core::array> cpuKernels(const char* name, std::vector<mlx::core::array> inputs,
                                         std::vector<mlx::core::Shape> shapes, KernelsFunction run);

}  // namespace parakeet::ops
