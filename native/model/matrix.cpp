#include "model/matrix.h"

#include <cstring>

#include "ops/ops.h"

namespace parakeet {
namespace mx = mlx::core;

mx::array toArray(const Matrix& matrix) { return ops::fromVector(matrix.data, {matrix.rows, matrix.columns}); }

Matrix toMatrix(const mx::array& x) {
  const mx::array plain = mx::contiguous(x);
  mx::eval(plain);
  Matrix matrix{std::vector<float>(plain.size()), plain.shape(0), plain.shape(1)};
  std::memcpy(matrix.data.data(), plain.data<float>(), plain.nbytes());
  return matrix;
}

}  // namespace parakeet
