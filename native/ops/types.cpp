#include "ops/types.h"

#include <utility>

namespace parakeet::ops {

mx::array fromVector(const std::vector<float>& values, mx::Shape shape) {
  return mx::array(values.begin(), std::move(shape));
}

}  // namespace parakeet::ops
