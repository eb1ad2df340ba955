// Operand types of a product on a CPU.
#pragma once

namespace parakeet::ops {

enum class ProductKind {
  float32,   // float · float → float
  bfloat16,  // bfloat16 · bfloat16 → float; needs instructions for it
  bytes,     // uint8 · int8 → int32
};

}  // namespace parakeet::ops
