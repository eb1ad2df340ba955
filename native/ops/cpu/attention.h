// Relative-position attention on a CPU: two products, a shift, a softmax and a product for each head. See ops.h for the
// formula.
#pragma once

#ifdef PARAKEET_CPU_KERNELS

#include <algorithm>
#include <memory>
#include <vector>

#include "ops/cpu/key_value_log.h"
#include "ops/cpu/product_kind.h"
#include "ops/pool.h"
#include "ops/types.h"

namespace parakeet::ops {

// One stream's part of a batch.
struct AttentionShape {
  Rows queries;       // rows of the batch
  int past;           // keys that come before those of its own rows
  int width, heads;   // width: of all heads together
  int farthest;       // the distance of the item's first position
  int firstPosition;  // its row in the table
  int tableRows;      // of the table: as many as fill its panels
  Band band;

  int keys() const { return past + queries.count; }
};

// Where a step of a stream packs its keys and values, and finds those of its past.
struct LogPlan {
  std::shared_ptr<KeyValueLog> log;  // null for none: then there is no past
  int past = 0, own = 0;             // rows of the log at which past and own keys begin; own ones follow the past
  std::shared_ptr<KeyValueLog>
      moved;          // where the past lies if it is to be copied first, from row `movedFrom` on; or null
  int movedFrom = 0;  // begins a panel, as row 0 of the log does
};

// Its arrays, row-major, all heads beside each other, at its first row.
struct AttentionInput {
  const float *query, *key, *value;
  const LogPlan* logged;
  const float* positions;  // the table, packed
  const float *u, *v;
  float* output;
};

// The keys that some of `count` queries from `first` on may see.
KeyRange keysOf(const AttentionShape& shape, int first, int count);

// The type of the products, for which the table of positions is packed (packPositions). With int8 they are of bfloat16
// where the CPU has them, else of float32.
ProductKind attentionKind(DType dtype);

// Calls `body(item, head)` for all of them, split over the pool.
template <class Body>
void forEachHead(const std::vector<AttentionShape>& shapes, Body body) {
  const auto count = static_cast<int>(shapes.size());
  const int heads = shapes[0].heads;
  double work = 0;
  for (const AttentionShape& shape : shapes) {
    const double queries = shape.queries.count;
    work += queries * (queries + 3.0 * shape.keys()) * shape.width / heads;
  }
  const int grain = std::max(1, static_cast<int>(1e6 * count / work));
  parallelFor(count * heads, grain, [&](int begin, int end) {
    for (int i = begin; i < end; i++) body(static_cast<size_t>(i / heads), i % heads);
  });
}

// All heads of all items.
void attend(const std::vector<AttentionShape>& shapes, const std::vector<AttentionInput>& inputs, DType dtype);

}  // namespace parakeet::ops

#endif
