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

// Which keys a query may attend to, in frames. Query i stands at `firstQuery + i`, key j at j; -1 for no limit.
struct Band {
  int left = -1;
  int right = -1;
  int firstQuery = 0;
};

// Queries that are processed at once, so that the scores of a long signal need not all be in memory.
constexpr int attentionBlock = 128;

// An array that owns a copy of `values`.
mx::array fromVector(const std::vector<float>& values, mx::Shape shape);

}  // namespace parakeet::ops
