#include "ops/norm.h"

namespace parakeet::ops {

mx::array Norm::operator()(const mx::array& x) const { return mx::fast::layer_norm(x, weight, bias, 1e-5f); }

}  // namespace parakeet::ops
