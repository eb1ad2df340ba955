#include "ops/padded/attention.h"

#include <algorithm>
#include <cmath>

#include "ops/device.h"

namespace parakeet::ops {
namespace {

// Added to a score that must not count. Finite: a query of the padding may see no key at all, and what it gives must be
// a number, since it is multiplied by zero later.
constexpr float excluded = -1e9f;

// Scores that are in memory at once, all heads and items together.
constexpr int64_t scoresAtOnce = int64_t{1} << 28;

mx::array wide(const mx::array& x) { return mx::astype(x, mx::float32); }

// `scores` where the key, `in[at]`, is one that the item has: from `in[at + 1]` on, before `in[at + 2]`.
mx::array masked(const mx::array& scores, const Fused::Arrays& in, size_t at) {
  const mx::array there = mx::logical_and(mx::greater_equal(in[at], in[at + 1]), mx::less(in[at], in[at + 2]));
  return mx::where(there, scores, mx::array(excluded));
}

// MLX's fused attention takes half the time for a full batch, but prepares each shape anew, which a live step must not
// wait for; a step has few rows. Measured on an H200: 64 signals of 416 frames, 0.25 ms instead of 0.51.
bool worthFusing(const PaddedShape& shape, const mx::array& query) {
  return onGpu() && query.dtype() == mx::bfloat16 && shape.cached == 0 && shape.batch * shape.frames >= fullRows;
}

std::optional<mx::array> bandOf(const AttentionMask::Block& block, const Band& band, int keys) {
  const int first = band.firstQuery + block.firstQuery, last = first + block.queries - 1;
  const int until = block.firstKey + block.keys;
  // The keys of the first query begin first, those of the last one end last.
  if (band.keysAt(last, keys).begin <= block.firstKey && band.keysAt(first, keys).end >= until) return std::nullopt;
  mx::array queries = mx::arange(first, last + 1, mx::int32);
  if (band.chunk > 0) {
    const mx::array chunk(band.chunk), start(band.firstQuery);
    queries = start + mx::floor_divide(queries - start, chunk) * chunk;
  }
  const mx::array distance =
      mx::expand_dims(queries, 1) - mx::expand_dims(mx::arange(block.firstKey, until, mx::int32), 0);
  mx::array allowed = mx::less_equal(distance, mx::array(band.left >= 0 ? band.left : last));
  if (band.right >= 0) {
    const int after = band.chunk > 0 ? band.chunk - 1 + band.right : band.right;
    allowed = mx::logical_and(allowed, mx::greater_equal(distance, mx::array(-after)));
  }
  const mx::array added = mx::where(allowed, mx::array(0.0f), mx::array(excluded));
  return mx::reshape(added, {1, 1, block.queries, block.keys});
}

}  // namespace

AttentionMask attentionMask(const PaddedShape& shape, const mx::array& pasts, const mx::array& counts, const Band& band,
                            int heads) {
  const mx::array cached(shape.cached, mx::int32);
  AttentionMask mask{
      mx::reshape(cached - pasts, {1, shape.batch, 1, 1}), mx::reshape(cached + counts, {1, shape.batch, 1, 1}), {}};
  const auto reach = [&](int side) { return side < 0 ? shape.keys() : std::min(side, shape.keys()); };
  // A block of queries sees its own frames and the band on both sides.
  int most = shape.frames;
  while (most > attentionBlock) {
    const int left = band.farthestLeft(), right = band.farthestRight();
    const int64_t seen = std::min<int64_t>(shape.keys(), int64_t{reach(left)} + reach(right) + most);
    const bool wasteful = left >= 0 && right >= 0 && most > left + right;
    if (!wasteful && seen * most * heads * shape.batch <= scoresAtOnce) break;
    most = std::max(attentionBlock, (most / 2 + 7) / 8 * 8);
  }
  for (int first = 0; first < shape.frames; first += most) {
    const int queries = std::min(most, shape.frames - first), at = shape.cached + first;
    const int low = band.keysAt(at, shape.keys()).begin, high = band.keysAt(at + queries - 1, shape.keys()).end;
    AttentionMask::Block block{first, queries, low, high - low, mx::arange(low, high, mx::int32), {}};
    block.band = bandOf(block, band, shape.keys());
    mask.blocks.push_back(std::move(block));
  }
  return mask;
}

AttentionFunctions::AttentionFunctions()
    : queries([](const Fused::Arrays& in) -> Fused::Arrays {
        const mx::array q = wide(in[0]), scale = wide(in[3]);
        return {mx::astype((q + wide(in[1])) * scale, in[0].dtype()),
                mx::astype((q + wide(in[2])) * scale, in[0].dtype())};
      }),
      scores([](const Fused::Arrays& in) -> Fused::Arrays {
        return {mx::astype(masked(wide(in[0]) + wide(in[1]), in, 2), in[0].dtype())};
      }),
      banded([](const Fused::Arrays& in) -> Fused::Arrays {
        return {mx::astype(masked(wide(in[0]) + wide(in[1]) + in[5], in, 2), in[0].dtype())};
      }),
      added([](const Fused::Arrays& in) -> Fused::Arrays {
        return {mx::astype(masked(wide(in[0]), in, 1), in[0].dtype())};
      }),
      addedBanded([](const Fused::Arrays& in) -> Fused::Arrays {
        return {mx::astype(masked(wide(in[0]) + in[4], in, 1), in[0].dtype())};
      }) {}

mx::array paddedAttention(const AttentionFunctions& functions, const PaddedShape& shape, const mx::array& query,
                          const mx::array& keysValues, const mx::array& u, const mx::array& v,
                          const PositionTable& positions, const AttentionMask& mask) {
  const int heads = query.shape(0), size = query.shape(3), batch = shape.batch;
  const mx::array scale(1.0f / std::sqrt(static_cast<float>(size)));
  const Fused::Arrays queries = functions.queries.all({query, u, v, scale});
  const bool fused = worthFusing(shape, query);
  const auto part = [&](int which, int begin, int end) {
    const mx::array own = mx::slice(keysValues, {which, 0, 0, begin, 0}, {which + 1, heads, batch, end, size});
    return mx::squeeze(own, 0);
  };
  std::vector<mx::array> mixed;
  for (const AttentionMask::Block& block : mask.blocks) {
    const int n = block.queries, m = block.keys;
    const auto own = [&](const mx::array& all) {
      return mx::slice(all, {0, 0, block.firstQuery, 0}, {heads, batch, block.firstQuery + n, size});
    };
    // Rows of the distances from the farthest downwards.
    const int row = positions.farthest - block.farthest(shape);
    const mx::array distances = mx::slice(positions.rows, {0, row, 0}, {heads, row + block.distances(), size});
    const mx::array shifting =
        mx::matmul(mx::reshape(own(queries[1]), {heads, batch * n, size}), mx::swapaxes(distances, 1, 2));
    // The shift of Transformer-XL as a view: element (i, j) is shifting[i, n − 1 − i + j].
    const int64_t width = block.distances();
    const mx::array shifted = mx::as_strided(shifting, {heads, batch, n, m},
                                             {batch * n * width, n * width, width - 1, 1}, static_cast<size_t>(n - 1));
    const int until = block.firstKey + m;
    if (fused) {
      Fused::Arrays inputs{shifted, block.keyNumbers, mask.firstKey, mask.endKey};
      if (block.band) inputs.push_back(*block.band);
      const mx::array added = block.band ? functions.addedBanded(inputs) : functions.added(inputs);
      mixed.push_back(mx::fast::scaled_dot_product_attention(own(queries[0]), part(0, block.firstKey, until),
                                                             part(1, block.firstKey, until), 1.0f, "", added));
      continue;
    }
    const mx::array content = mx::matmul(own(queries[0]), mx::swapaxes(part(0, block.firstKey, until), 2, 3));
    Fused::Arrays inputs{content, shifted, block.keyNumbers, mask.firstKey, mask.endKey};
    if (block.band) inputs.push_back(*block.band);
    const mx::array scores = block.band ? functions.banded(inputs) : functions.scores(inputs);
    mixed.push_back(mx::matmul(mx::softmax(scores, -1, true), part(1, block.firstKey, until)));
  }
  const mx::array all = mixed.size() == 1 ? mixed[0] : mx::concatenate(mixed, 2);
  return mx::reshape(mx::transpose(all, {1, 2, 0, 3}), {batch * shape.frames, heads * size});
}

}  // namespace parakeet::ops
