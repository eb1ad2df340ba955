// A panel of weights with any number of rows of activations: the products of tile_kernel.h in the order that the caches
// want.
#pragma once

#include <algorithm>

#include "ops/cpu/aligned.h"
#include "ops/cpu/tile_kernel.h"

namespace parakeet::ops {

// Weights of 16 KiB once they are bytes.
constexpr int fourBitGroupsAtOnce = 128;

struct PanelProduct {
  ProductKind kind;
  const char* activations;  // `rows` rows of `groups` groups; there is memory for rowsWithPadding
  size_t stride;            // bytes from one row to the next
  int rows;
  int groups;
  bool narrow = false;    // weights are given as bytes, to products of words
  bool fourBits = false;  // weights are given in four bits, which this kind multiplies: fourBitTileRows
};

// Some groups of a panel's weights.
struct PanelWeights {
  const char* data;  // [count][tileColumns] groups
  const char* next;  // bytes that are read after them: they are prefetched
  size_t nextSize;
};

// `weightsOf(group, count)` gives the PanelWeights that are multiplied next. Calls `finish(row, rows, sums)` for each
// tile when its sums, rows of tileColumns values, are complete. Needs a TileScope.
template <class Weights, class Finish>
void multiplyPanel(const PanelProduct& product, Weights weightsOf, Finish finish) {
  const ProductKind kind = product.kind;
  const int tallest = product.fourBits ? fourBitTileRows(kind) : tileRows(kind), tiles = tilesOf(tallest, product.rows);
  // What the first tile unpacks stays in the first-level cache for the others.
  const bool keeps = product.fourBits && tiles > 1;
  const int depth = std::min(product.groups, keeps ? fourBitGroupsAtOnce : groupsAtOnce(kind));
  // What is added to later needs a place for each tile; else one is used again and again.
  const bool parted = depth < product.groups;
  const size_t tileSize = static_cast<size_t>(tallest) * tileColumns;
  thread_local AlignedBytes memory, bytes;
  auto* sums = static_cast<float*>(memory.grown((parted ? tiles : 1) * tileSize * sizeof(float)));
  for (int group = 0; group < product.groups; group += depth) {
    const int count = std::min(depth, product.groups - group);
    const PanelWeights weights = weightsOf(group, count);
    void* unpacked = keeps ? bytes.grown(panelBytes(depth)) : nullptr;
    // Each tile fetches its part of what follows, so many cache lines a step.
    constexpr size_t line = 64;
    const size_t steps = count / groupAlignment(kind), parts = line * steps * tiles;
    const size_t nextLines = (weights.nextSize + parts - 1) / parts;
    forEachTile(tallest, product.rows, [&](int tile, int row, int rows) {
      float* own = sums + (parted ? tile : 0) * tileSize;
      const size_t fetched = line * steps * nextLines * tile;
      multiplyTile(kind, {.activations = product.activations + row * product.stride + static_cast<size_t>(group) * 4,
                          .activationsStride = product.stride,
                          .weights = unpacked && tile > 0 ? unpacked : weights.data,
                          .groups = count,
                          .rows = rows,
                          .sums = own,
                          .sumsStride = tileColumns,
                          .added = group > 0,
                          .weightsAgain = tiles > 1,
                          .next = weights.next + fetched,
                          .nextLines = fetched < weights.nextSize ? static_cast<int>(nextLines) : 0,
                          .narrow = product.narrow,
                          .fourBits = product.fourBits && !(unpacked && tile > 0),
                          .unpacked = unpacked && tile == 0 ? unpacked : nullptr});
      if (group + count == product.groups) finish(row, rows, own);
    });
  }
}

}  // namespace parakeet::ops
