// The check that every product makes before it reads: our kernels read raw memory, so rows of another width would be
// read past their end. Not for values.
#pragma once

#include <mlx/mlx.h>

#include <stdexcept>
#include <string>

namespace parakeet::ops {

// Throws std::invalid_argument unless the last axis of `x` has `width` values.
inline void mustHaveWidth(const char* operation, const mlx::core::array& x, int width) {
  const int received = x.ndim() == 0 ? 0 : x.shape(-1);
  if (received == width) return;
  throw std::invalid_argument(std::string(operation) + ": expected rows of " + std::to_string(width) +
                              " values but received rows of " + std::to_string(received));
}

}  // namespace parakeet::ops
