#include "ops/cpu/tile_finish.h"

#include <algorithm>

#include "ops/cpu/tile_kernel.h"
#include "ops/cpu/tile_rows_x86.h"

namespace parakeet::ops {

void finishProduct(const void* accumulator, const TileEnd& end) {
  PARAKEET_IN_AVX512(finishProduct(accumulator, end));
  PARAKEET_IN_AVX2(finishProduct(accumulator, end));
  finishTile(accumulator, end);
}

void siluProduct(const void* accumulator, const TileEnd& end, uint16_t* output, size_t stride) {
  PARAKEET_IN_AVX512(siluProduct(accumulator, end, output, stride));
  float values[mostTileRows * tileColumns];
  TileEnd wide = end;
  wide.activation = Activation::silu;
  wide.output = values;
  wide.ldOutput = tileColumns;
  wide.residual = nullptr;
  wide.scale = 1;
  finishTile(accumulator, wide);
  for (int r = 0; r < end.rows; r++, output += stride) toBfloat16(values + r * tileColumns, output, end.columns);
}

}  // namespace parakeet::ops
