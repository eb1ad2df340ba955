// Whether our own CPU kernels do the work. Only where the addon was built with them.
#pragma once

#include <mlx/mlx.h>

namespace parakeet::ops {

inline bool onCpu() { return mlx::core::default_device() == mlx::core::Device::cpu; }

}  // namespace parakeet::ops
