// The tiles of tile_kernel.h in the vector registers of x86_64, one kind of them for each of its instruction sets.
// amx.h has those of the matrix units.
#pragma once

#include "ops/cpu/product_kind.h"
#include "ops/cpu/tile_kernel.h"

namespace parakeet::ops {

namespace avx512 {

// Two registers a row, of 32.
constexpr int tileRows = 12, alignment = 4;
// Where hasTileKernel of the kind and vectorLevel says so.
void multiplyTile(ProductKind kind, const TileProduct& product);

// As multiplyTile of bytes, of at most so many rows, whose weights are blocks of tile_four_bits.h: unpacked in
// registers, which leave fewer for sums.
constexpr int fourBitRows = 8;
void multiplyFourBits(const TileProduct& product);

}  // namespace avx512

namespace avx2 {

// Four registers a row; with 12 sums, three activations and weights all 16 are used.
constexpr int tileRows = 3, alignment = 4;
// Weights of 16 KiB: with so few rows they are read again every 1.5 KiB of activations.
constexpr int groupsAtOnce = 128;
// float32, or bytes where there is AVX-VNNI.
void multiplyTile(ProductKind kind, const TileProduct& product);

// The same of words, whose tiles are taller.
constexpr int wordRows = 6;
void multiplyWords(const TileProduct& product);

}  // namespace avx2

// Without FMA, for CPUs before those of AVX2: with SSE, or with AVX where there is that.
namespace base {

// As in AVX2; in SSE the columns are taken in two halves.
constexpr int tileRows = 3, alignment = 4, groupsAtOnce = 128;
// float32.
void multiplyTile(ProductKind kind, const TileProduct& product);

}  // namespace base

}  // namespace parakeet::ops
