// What the machine is, and how fast its products are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ops/dtype.h"

namespace parakeet::ops {

// The device that computes.
struct Machine {
  const char* backend;                      // "cpu", "metal" or "cuda"
  std::optional<std::string> library;       // "oneDNN 3.2.0"; none where only MLX or our own kernels do the work
  std::optional<std::string> instructions;  // that our CPU kernels use: "avx2", "avx512_core_bf16", "neon_dotprod", …
  bool nativeBfloat16;                      // whether products of bfloat16 are faster than those of float32
  bool byteProducts;                        // whether int8 multiplies bytes, or only keeps the weights in them
};
Machine machine();
// What this build can compute on: "cpu", and "metal" or "cuda".
std::vector<const char*> backends();

// Floating-point operations per second of bare products [rows, inputs] · [inputs, outputs] in the type, measured for
// about `seconds`: the best that the machine is known to reach. On the engine's thread.
double productSpeed(DType dtype, int rows, int inputs, int outputs, double seconds);

}  // namespace parakeet::ops
