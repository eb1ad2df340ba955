#include "ops/give_up.h"

#include <mlx/mlx.h>

#include "ops/pool.h"

namespace parakeet::ops {

GiveUpScope::GiveUpScope(const std::atomic<bool>& flag) : flag_(flag) { setGivenUp(&flag); }
GiveUpScope::~GiveUpScope() {
  if (flag_) mlx::core::synchronize();  // cancelled work must have ended before anything else runs
  setGivenUp(nullptr);
}

}  // namespace parakeet::ops
