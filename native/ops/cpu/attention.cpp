#ifdef PARAKEET_CPU_KERNELS

#include "ops/cpu/attention.h"

#include "ops/cpu/amx.h"
#include "ops/cpu/tile_attention.h"
#include "ops/cpu/tile_kernel.h"

namespace parakeet::ops {

KeyRange keysOf(const AttentionShape& shape, int first, int count) {
  const int at = shape.band.firstQuery + first, keys = shape.keys();
  return {shape.band.keysAt(at, keys).begin, shape.band.keysAt(at + count - 1, keys).end};
}

ProductKind attentionKind(DType dtype) {
  // In bfloat16, attention adds as much to the error as all other products do, which AMX is worth: it multiplies it
  // sixteen times as fast as float32. To the error of bytes it adds nothing.
  const bool worth = inBytes(dtype) || (dtype == DType::bfloat16 && amx::available());
  const bool narrow = worth && hasTileKernel(ProductKind::bfloat16);
  return narrow ? ProductKind::bfloat16 : ProductKind::float32;
}

void attend(const std::vector<AttentionShape>& shapes, const std::vector<AttentionInput>& inputs, DType dtype) {
  const ProductKind kind = attentionKind(dtype);
  forEachHead(shapes, [&](size_t item, int head) { attendHeadInTiles(kind, inputs[item], shapes[item], head); });
}

}  // namespace parakeet::ops

#endif
