// The inner loop of the encoder's products on a CPU: a tile of results that stays in the registers for the whole inner
// dimension, or for as much of it as the first-level cache holds weights of. Both operands are read in groups of four
// bytes along it: one float32, two bfloat16 or words, or four bytes, which one instruction multiplies and adds.
//
// Why not oneDNN's products here: at the sizes of an encoder (some hundred rows, weights larger than a core's cache)
// this loop runs at the speed of the CPU's units or of its memory in all three types, oneDNN's at 60 % of it in
// bfloat16 with AVX-512, at a third with AMX, and in AVX2 with a dozen rows at 60 % (`bench:encoder` measures both),
// and what follows a product can begin while its tile is in the first-level cache.
//
// A result is the sum of its products in the order of the inner dimension, whatever tile it is in: it depends neither
// on the number of rows nor on that of threads.
#pragma once

#include <cstddef>

#include "ops/cpu/product_kind.h"

namespace parakeet::ops {

// Most rows of a tile of any kind, and the columns of all.
#ifdef __aarch64__
constexpr int mostTileRows = 8, tileColumns = 8;
#else
constexpr int mostTileRows = 32, tileColumns = 32;
#endif

// Most rows of this kind's tiles on this CPU: what the sums leave of the registers suffices for weights and
// activations.
int tileRows(ProductKind kind);
// Groups come in so many: operands are padded with zeros to that.
int groupAlignment(ProductKind kind);
// Most groups whose weights fit into the first-level cache beside what else is read: of wider operands so many are
// multiplied at a time, for all rows.
int groupsAtOnce(ProductKind kind);
// Most rows of a tile whose weights are multiplied as they are kept in four bits (tile_four_bits.h); 0 where they are
// unpacked before.
int fourBitTileRows(ProductKind kind);
// Rows of memory that operands and sums of `rows` rows need: a tile of AMX is always whole.
int rowsWithPadding(ProductKind kind, int rows);

struct TileProduct {
  const void* activations;   // `rows` rows of `groups` groups; there is memory for rowsWithPadding
  size_t activationsStride;  // bytes from one row to the next
  const void* weights;       // [groups][tileColumns] groups
  int groups;                // a multiple of groupAlignment
  int rows;                  // 1 … tileRows
  void* sums;                // [rows, tileColumns] float, or int32 of whole numbers; memory as for the activations
  size_t sumsStride;         // values from one row to the next
  // Whether the product is added to what `sums` hold: where groups are multiplied some at a time (groupsAtOnce).
  bool added = false;
  // Which operand is multiplied again soon, and is worth a place in the first-level cache: the weights if there are
  // more rows than a tile has, else the activations.
  bool weightsAgain = false;
  // What is multiplied next: this many cache lines of it are prefetched with every groupAlignment groups. Weights are
  // read from memory once for all rows, and the CPU's own prefetching stops at each page.
  const void* next = nullptr;
  int nextLines = 0;
  // Weights of words are bytes: widened as they are multiplied, by each tile.
  bool narrow = false;
  // The weights are in four bits; where they are written as bytes, for the tiles that follow. Null: nowhere.
  bool fourBits = false;
  void* unpacked = nullptr;
};

// Bytes of activations are unsigned, or signed where the CPU multiplies signed ones only; weights are signed.
#ifdef __aarch64__
constexpr bool signedActivations = true;
#else
constexpr bool signedActivations = false;
#endif

// Whether this CPU has the instructions, and oneDNN was not told to avoid them (ONEDNN_MAX_CPU_ISA).
bool hasTileKernel(ProductKind kind);

// How weights that are kept as `stored` are multiplied here: those that have no kernel are widened.
inline ProductKind multipliedAs(ProductKind stored) {
  if (hasTileKernel(stored)) return stored;
  return stored == ProductKind::bytes && hasTileKernel(ProductKind::words) ? ProductKind::words : ProductKind::float32;
}

// Must be there, on the calling thread, while multiplyTile is called for the kind; not one in another. AMX's registers
// have a shape, which is set here; afterwards they are empty, so that no other code meets ours, and the system has
// nothing of them to save.
class TileScope {
 public:
  explicit TileScope(ProductKind kind);
  ~TileScope();
  TileScope(const TileScope&) = delete;
  TileScope& operator=(const TileScope&) = delete;

 private:
  bool shaped_;
};

void multiplyTile(ProductKind kind, const TileProduct& product);

// How many of size `by` cover `n`.
constexpr int ceilDivide(int n, int by) { return (n + by - 1) / by; }

// Values of a group.
constexpr int groupSize(ProductKind kind) {
  switch (kind) {
    case ProductKind::bytes:
      return 4;
    case ProductKind::bfloat16:
    case ProductKind::words:
      return 2;
    case ProductKind::float32:
      break;
  }
  return 1;
}

// Groups of `inner` values, padded.
inline int paddedGroups(ProductKind kind, int inner) {
  const int alignment = groupAlignment(kind), values = groupSize(kind) * alignment;
  return (inner + values - 1) / values * alignment;
}

// Bytes of the weights of tileColumns columns.
constexpr size_t panelBytes(int groups) { return static_cast<size_t>(groups) * tileColumns * 4; }

// Of at most `tallest` rows each.
constexpr int tilesOf(int tallest, int rows) { return (rows + tallest - 1) / tallest; }
inline int tilesOf(ProductKind kind, int rows) { return tilesOf(tileRows(kind), rows); }

// Calls `body(tile, row, count)` for the tiles of `rows` rows. They have about equal heights: a short last tile would
// use the registers poorly.
template <class Body>
void forEachTile(int tallest, int rows, Body body) {
  const int tiles = tilesOf(tallest, rows), least = rows / tiles, taller = rows % tiles;
  for (int tile = 0, row = 0; tile < tiles; tile++) {
    const int height = tile < taller ? least + 1 : least;
    body(tile, row, height);
    row += height;
  }
}

// Bytes from one row of activations to the next: an odd number of cache lines, so that the rows of a tile do not map to
// the same few sets of the first-level cache.
constexpr size_t paddedStride(int groups) {
  const size_t lines = (static_cast<size_t>(groups) * 4 + 63) / 64;
  return 64 * (lines | 1);
}

}  // namespace parakeet::ops
