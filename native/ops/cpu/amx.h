// Intel's matrix units (AMX): registers of 16 rows of 64 bytes, and an instruction that multiplies two of them and adds
// the product to a third. The products of bfloat16 and bytes of tile_kernel.h, where the CPU has them.
//
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18, and TDPBF16PS, TDPBUSD.
#pragma once

#include "ops/cpu/product_kind.h"

namespace parakeet::ops {

struct TileProduct;

namespace amx {

// A tile: two by two registers of sums.
constexpr int tileRows = 32;
// Groups of a register's row.
constexpr int alignment = 16;
// Weights of 32 KiB: measured, 16 and 64 are slower.
constexpr int groupsAtOnce = 256;

// Whether the CPU has them, oneDNN was not told to avoid them (ONEDNN_MAX_CPU_ISA), and the system lets this process
// use them: asked once.
bool available();

// Of the calling thread; the rest only where `available`.
void shapeRegisters();
void releaseRegisters();

// bfloat16 or bytes, between those two. Reads 16 or 32 rows of activations, and writes as many of sums.
void multiplyTile(ProductKind kind, const TileProduct& product);

}  // namespace amx
}  // namespace parakeet::ops
