// Encoder frames where they were computed: rows of a matrix that several streams may share.
#pragma once

#include <mlx/mlx.h>

#include "model/matrix.h"

namespace parakeet {

struct FrameRows {
  mlx::core::array matrix = mlx::core::array(0.0f);  // [rows, columns], float32; anything where `count` is 0
  int first = 0, count = 0;

  int columns() const { return matrix.shape(1); }
  // Rows [begin, begin + rows) of these.
  FrameRows part(int begin, int rows) const { return {matrix, first + begin, rows}; }
  mlx::core::array array() const { return mlx::core::slice(matrix, {first, 0}, {first + count, matrix.shape(1)}); }
};

// A copy in plain memory. On the engine's thread.
inline Matrix toMatrix(const FrameRows& rows) { return toMatrix(rows.array()); }
// On the engine's thread.
inline FrameRows toFrameRows(const Matrix& matrix) { return {toArray(matrix), 0, matrix.rows}; }

}  // namespace parakeet
