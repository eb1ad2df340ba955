#include "ops/types.h"

#include <utility>

#include "ops/transfer.h"

namespace parakeet::ops {

mx::array fromVector(const std::vector<float>& values, mx::Shape shape) {
  return resident(mx::array(values.begin(), std::move(shape)));
}

}  // namespace parakeet::ops
