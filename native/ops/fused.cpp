#include "ops/fused.h"

#include <utility>

#include "ops/device.h"

namespace parakeet::ops {

Fused::Fused(Function function)
    : function_(onGpu() ? mlx::core::compile(std::move(function), /*shapeless=*/true) : std::move(function)) {}

}  // namespace parakeet::ops
