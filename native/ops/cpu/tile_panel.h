// A panel of weights with any number of rows of activations: the products of tile_kernel.h in the order that the caches
// want.
#pragma once

#include <algorithm>

#include "ops/cpu/aligned.h"
#include "ops/cpu/tile_kernel.h"

namespace parakeet::ops {

struct PanelProduct {
  ProductKind kind;
  const char* activations;  // `rows` rows of `groups` groups; there is memory for rowsWithPadding
  size_t stride;            // bytes from one row to the next
  int rows;
  int groups;
  bool followed;  // by another panel, which is multiplied next
};

// `weightsOf(group, count)` gives the groups that are multiplied next, [count][tileColumns]. Calls `finish(row, rows,
// sums)` for each tile when its sums, rows of tileColumns values, are complete. Needs a TileScope.
template <class Weights, class Finish>
void multiplyPanel(const PanelProduct& product, Weights weightsOf, Finish finish) {
  const ProductKind kind = product.kind;
  const int tiles = tilesOf(kind, product.rows), depth = std::min(product.groups, groupsAtOnce(kind));
  // What is added to later needs a place for each tile; else one is used again and again.
  const bool parted = depth < product.groups;
  const size_t tileSize = static_cast<size_t>(tileRows(kind)) * tileColumns;
  thread_local AlignedBytes memory;
  auto* sums = static_cast<float*>(memory.grown((parted ? tiles : 1) * tileSize * sizeof(float)));
  // Each tile fetches its part of what follows: the next groups, or the next panel.
  const int lines = stepLines(kind), nextLines = product.followed ? (lines + tiles - 1) / tiles : 0;
  for (int group = 0; group < product.groups; group += depth) {
    const int count = std::min(depth, product.groups - group);
    const size_t size = panelBytes(count);
    const char* weights = weightsOf(group, count);
    forEachTile(kind, product.rows, [&](int tile, int row, int rows) {
      float* own = sums + (parted ? tile : 0) * tileSize;
      const size_t fetched = size / lines * nextLines * tile;
      multiplyTile(kind, {.activations = product.activations + row * product.stride + static_cast<size_t>(group) * 4,
                          .activationsStride = product.stride,
                          .weights = weights,
                          .groups = count,
                          .rows = rows,
                          .sums = own,
                          .sumsStride = tileColumns,
                          .added = group > 0,
                          .weightsAgain = tiles > 1,
                          .next = weights + size + fetched,
                          .nextLines = fetched < size ? nextLines : 0});
      if (group + count == product.groups) finish(row, rows, own);
    });
  }
}

}  // namespace parakeet::ops
