// A matrix in plain memory, and its conversion to and from MLX arrays.
#pragma once

#include <mlx/mlx.h>

#include <vector>

namespace parakeet {

// Row-major.
struct Matrix {
  std::vector<float> data;
  int rows = 0;
  int columns = 0;
};

// An array that owns a copy. On the engine's thread.
mlx::core::array toArray(const Matrix& matrix);
// Evaluates `x` [rows, columns] and copies it out. On the engine's thread.
Matrix toMatrix(const mlx::core::array& x);

}  // namespace parakeet
