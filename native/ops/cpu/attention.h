// Relative-position attention on a CPU: two products, a shift, a softmax and a product for each head. See ops.h for the
// formula.
#pragma once

#ifdef PARAKEET_ONEDNN

#include <optional>

#include "ops/cpu/product_kind.h"
#include "ops/types.h"

namespace parakeet::ops {

// One stream's part of a batch.
struct AttentionShape {
  Rows queries;       // rows of the batch
  int past;           // keys that come before those of its own rows
  int width, heads;   // width: of all heads together
  int farthest;       // the distance of the item's first position
  int firstPosition;  // its row in the table
  int tableRows;      // of the table; of a packed one as many as fill its panels
  Band band;

  int keys() const { return past + queries.count; }
};

// Its arrays, row-major, all heads beside each other; all but the past at its first row.
struct AttentionInput {
  const float *query, *key, *value;
  const float *pastKey, *pastValue;  // null for none
  const float* positions;            // the table: [tableRows, width], or packed
  const float *u, *v;
  float* output;
};

// The keys that some of `count` queries from `first` on may see.
struct KeySpan {
  int low, high;
};
KeySpan keysOf(const AttentionShape& shape, int first, int count);

// Whether the table of positions is packed (packPositions) for `attend`, and in which type: where the products are
// those of tile_kernel.h. With int8 they are of bfloat16 where the CPU has them, else of float32.
std::optional<ProductKind> packedKind(DType dtype);

// All heads of all items.
void attend(const std::vector<AttentionShape>& shapes, const std::vector<AttentionInput>& inputs, DType dtype);

}  // namespace parakeet::ops

#endif
