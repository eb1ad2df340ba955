// Small types that the operations (ops/*.h) and the CPU kernels (ops/cpu/) share. No operations.
#pragma once

#include <mlx/mlx.h>

#include <vector>

#include "ops/dtype.h"

namespace parakeet::ops {

namespace mx = mlx::core;

// glu joins two halves a and g of the channels: a · sigmoid(g) (Dauphin et al. 2017).
enum class Activation { none, relu, silu, glu };

struct LinearShape {
  // Called with Activation::glu and nothing else; the result has half as many columns as there are outputs.
  bool gated = false;
  // The outputs are this many equal parts, whose results are stacked: [parts · rows, outputs / parts].
  int parts = 1;
};

// Consecutive rows of a batch: one stream's.
struct Rows {
  int first = 0;
  int count = 0;
  int end() const { return first + count; }
};

// Keys [begin, end).
struct KeyRange {
  int begin, end;
};

// Which keys a query may attend to, in frames. Query i stands at `firstQuery + i`, key j at j; -1 for no limit.
struct Band {
  int left = -1;
  int right = -1;
  int firstQuery = 0;
  // With chunks of so many frames, the first one from the first query on, all queries of one see the same keys: the
  // chunk, `left` before it and `right` after it. 0 for none.
  int chunk = 0;

  // Of `keys` keys, those that the query at `place` may attend to.
  KeyRange keysAt(int place, int keys) const {
    const int first = chunk > 0 ? place - (place - firstQuery) % chunk : place;
    const int last = chunk > 0 ? first + chunk - 1 : place;
    return {left < 0 || first < left ? 0 : first - left, right < 0 || last + right >= keys ? keys : last + right + 1};
  }
  // How far before and after itself a query sees at most; -1 for no limit.
  int farthestLeft() const { return left < 0 || chunk == 0 ? left : left + chunk - 1; }
  int farthestRight() const { return right < 0 || chunk == 0 ? right : right + chunk - 1; }
};

// Queries that are processed at once, so that the scores of a long signal need not all be in memory.
constexpr int attentionBlock = 128;

// The type in which our CUDA kernels take activations: MLX names the types of their arguments by the arrays', and
// bfloat16 goes by its bits.
inline mx::Dtype bitsOf(mx::Dtype type) { return type == mx::bfloat16 ? mx::uint16 : type; }

// An array that owns a copy of `values`.
mx::array fromVector(const std::vector<float>& values, mx::Shape shape);

}  // namespace parakeet::ops
