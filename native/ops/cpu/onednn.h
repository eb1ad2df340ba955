// oneDNN behind plain functions: which instruction sets it would use, which our kernels follow, and single-threaded
// products with weights in the layout it prefers, for the bound that product_speed.h measures. Called from MLX's stream
// thread and the pool's threads only.
#pragma once

#ifdef PARAKEET_ONEDNN

#include <memory>
#include <string>

#include "ops/cpu/product_kind.h"

namespace parakeet::ops {

// Weights [inputs, columns] of one product, in oneDNN's layout.
class PackedPanel {
 public:
  // `weight`: [columns, inputs] row-major of the kind's weight type.
  PackedPanel(ProductKind kind, const void* weight, int columns, int inputs);
  ~PackedPanel();
  PackedPanel(PackedPanel&&) noexcept;
  PackedPanel& operator=(PackedPanel&&) noexcept;

  int columns() const { return columns_; }
  // output[rows, columns] = x[rows, inputs] · weightᵀ.
  void multiply(const void* x, void* output, int rows) const;

 private:
  struct Memory;
  ProductKind kind_;
  int columns_, inputs_;
  std::unique_ptr<Memory> memory_;
};

// Whether the CPU multiplies matrices of bfloat16 and bytes in units of their own (AMX).
bool hasMatrixUnits();
// AVX-512 with the parts that every CPU with AVX512-VNNI or newer has, and with those instructions for bytes.
bool hasAvx512();
bool hasAvx512Vnni();
// AVX, AVX2, and AVX2 with AVX-VNNI's instructions for bytes.
bool hasAvx();
bool hasAvx2();
bool hasAvx2Vnni();

// "oneDNN 3.2.0".
std::string onednnVersion();

}  // namespace parakeet::ops

#endif
