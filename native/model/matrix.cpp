#include "model/matrix.h"

#include "ops/ops.h"
#include "ops/transfer.h"

namespace parakeet {
namespace mx = mlx::core;

mx::array toArray(const Matrix& matrix) { return ops::fromVector(matrix.data, {matrix.rows, matrix.columns}); }

Matrix toMatrix(const mx::array& x) {
  const mx::array plain = mx::contiguous(x);
  mx::eval(plain);
  return {ops::downloaded(plain), plain.shape(0), plain.shape(1)};
}

}  // namespace parakeet
