// Small arrays on their way between the host and a CUDA card. MLX makes arrays of the host's values in managed memory,
// whose pages move at 1 to 2 GB/s and at some 100 µs for the least; here they lie in memory that the card reads
// directly, and come back by one copy. Elsewhere both are what MLX does.
#pragma once

#include <mlx/mlx.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace parakeet::ops {

// A copy of `x` in the memory of the device that computes, for weights and tables. MLX leaves what is made of the
// host's values in memory that both can read, which the card does over the bus, every time.
mlx::core::array resident(const mlx::core::array& x);

// An array with a copy of `values`. Nothing is computed in place in it, so it is for what is read once or twice.
mlx::core::array uploaded(const std::vector<float>& values, mlx::core::Shape shape);
mlx::core::array uploaded(const std::vector<int32_t>& values, mlx::core::Shape shape);
// Of values that `fill` writes into memory with undefined content, which saves a copy of what is large.
mlx::core::array uploaded(mlx::core::Shape shape, const std::function<void(float*)>& fill);
// bfloat16, by its bits.
mlx::core::array uploadedBits(mlx::core::Shape shape, const std::function<void(uint16_t*)>& fill);

// The values of a float32 array that has been evaluated and is contiguous.
std::vector<float> downloaded(const mlx::core::array& evaluated);

}  // namespace parakeet::ops
