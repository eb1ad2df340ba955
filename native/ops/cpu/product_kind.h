// Operand types of a product on a CPU.
#pragma once

namespace parakeet::ops {

enum class ProductKind {
  float32,   // float · float → float
  bfloat16,  // bfloat16 · bfloat16 → float; needs instructions for it
  bytes,     // uint8 · int8 → int32; needs instructions for it
  words,     // the same values and results, each in 16 bits: for CPUs with AVX2 that do not multiply bytes
};

// Whether results are whole numbers, of quantised rows and channels.
constexpr bool ofWholeNumbers(ProductKind kind) { return kind == ProductKind::bytes || kind == ProductKind::words; }

}  // namespace parakeet::ops
