// Keys and values of a stream in one block, as attention multiplies them: a step packs its own rows after those of the
// steps before, and neither copies nor packs the past again. Rows that a step has claimed never change, so that the
// stream's cache from before the step stays what it was; rows after them are for the step that is being made.
#pragma once

#ifdef PARAKEET_CPU_KERNELS

#include <cstddef>
#include <memory>

#include "ops/cpu/product_kind.h"
#include "ops/cpu/tile_kernel.h"

namespace parakeet::ops {

struct KeyValueShape {
  ProductKind kind;  // of attention's products
  int heads, size;   // `size`: values of a head
};

// The second operand of a product: panels of tileColumns columns, each of them [groups][tileColumns] groups.
struct Panels {
  const char* data;
  int groups;          // that are multiplied
  size_t panelStride;  // bytes
};

class KeyValueLog {
 public:
  // For at least `room` rows, uninitialised.
  KeyValueLog(const KeyValueShape& shape, int room);

  const KeyValueShape& shape() const { return shape_; }

  // Whether a step may write `count` rows from row `end` on. It may not if they are claimed: by a step that was given
  // up.
  bool canWrite(int end, int count) const { return end == claimed_ && count <= room_ - end; }
  // The rows before `end` are somebody's past from now on; they are written later.
  void claim(int end) { claimed_ = end; }

  // Of a head. Keys are columns; values the inner dimension, of which all rows have memory, to the end of a panel.
  Panels keys(int head) const;
  Panels values(int head) const;

  // Writes `count` rows of a head; a row of `keys` or `values` begins `stride` values after the one before. What
  // follows in the last panel is zeros to the product with the values.
  void write(int head, int row, int count, const float* keys, const float* values, size_t stride);
  // Copies the panels of a head's rows [from, from + count) of another log of the shape, where `from` begins a panel,
  // to row 0.
  void copy(int head, const KeyValueLog& other, int from, int count);
  // Gives rows as they were written, in the type of the products; a row has all heads.
  void read(int row, int count, float* keys, float* values) const;

 private:
  class Memory;

  char* headKeys(int head) const;
  char* headValues(int head) const;
  size_t valuePanelBytes() const;
  void writeKeys(char* packed, int row, int count, const float* keys, size_t stride) const;
  void writeValues(char* packed, int row, int count, const float* values, size_t stride) const;

  KeyValueShape shape_;
  int room_, claimed_ = 0;
  int keyGroups_, valuePanels_;
  size_t headKeyBytes_, headBytes_;
  std::shared_ptr<Memory> memory_;
};

}  // namespace parakeet::ops

#endif
