// Pointwise functions of several arrays as one kernel.
#pragma once

#include <mlx/mlx.h>

#include <functional>
#include <vector>

namespace parakeet::ops {

// On a GPU, MLX compiles the function: one kernel for all shapes. On a CPU it would start a C++ compiler for that, so
// there the operations run one by one. Used on the engine's thread only, which keeps the compiled functions.
class Fused {
 public:
  using Arrays = std::vector<mlx::core::array>;
  using Function = std::function<Arrays(const Arrays&)>;

  explicit Fused(Function function);
  Arrays all(const Arrays& inputs) const { return function_(inputs); }
  mlx::core::array operator()(const Arrays& inputs) const { return function_(inputs)[0]; }

 private:
  Function function_;
};

}  // namespace parakeet::ops
