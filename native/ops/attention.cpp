#include "ops/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/shape.h"

namespace parakeet::ops {

namespace {

// MLX's own operations for a block of one stream's queries [n, d], with the keys that any of them may see. `position`:
// of the distances from that of the last query and the first key downwards.
mx::array attendBlock(const mx::array& query, const AttentionItem& item, const mx::array& u, const mx::array& v,
                      int heads) {
  const int queries = query.shape(0), keys = item.key.shape(0), width = query.shape(1), size = width / heads;
  const Band& band = item.band;
  const auto split = [&](const mx::array& x) { return mx::transpose(mx::reshape(x, {-1, heads, size}), {1, 0, 2}); };
  const float scale = 1.0f / std::sqrt(static_cast<float>(size));
  const mx::array distance = mx::matmul(split(query + v), mx::swapaxes(split(item.position), 1, 2));
  // The shift of Transformer-XL as a view: element (i, j) is distance[i, queries − 1 − i + j].
  const int row = queries + keys - 1;
  const mx::array shifted =
      mx::as_strided(mx::contiguous(distance), {heads, queries, keys},
                     {static_cast<int64_t>(queries) * row, row - 1, 1}, static_cast<size_t>(queries - 1));
  mx::array scores = (mx::matmul(split(query + u), mx::swapaxes(split(item.key), 1, 2)) + shifted) * mx::array(scale);
  if (band.left >= 0 || band.right >= 0) {
    const mx::array distances = mx::expand_dims(mx::arange(band.firstQuery, band.firstQuery + queries, mx::int32), 1) -
                                mx::expand_dims(mx::arange(0, keys, mx::int32), 0);
    mx::array allowed = mx::full({queries, keys}, true, mx::bool_);
    if (band.left >= 0) allowed = mx::logical_and(allowed, mx::less_equal(distances, mx::array(band.left)));
    if (band.right >= 0) allowed = mx::logical_and(allowed, mx::greater_equal(distances, mx::array(-band.right)));
    scores = mx::where(allowed, scores, mx::array(-std::numeric_limits<float>::infinity()));
  }
  const mx::array mixed = mx::matmul(mx::softmax(scores, -1, true), split(item.value));
  return mx::reshape(mx::transpose(mixed, {1, 0, 2}), {queries, width});
}

// MLX's own operations for one stream: only the keys within the band of each block, so that the scores grow with the
// signal's length and not with its square.
mx::array attendPlainly(const mx::array& query, const AttentionItem& item, const mx::array& u, const mx::array& v,
                        int heads) {
  const int queries = query.shape(0), keys = item.key.shape(0), width = query.shape(1);
  const auto rows = [&](const mx::array& x, int begin, int end) { return mx::slice(x, {begin, 0}, {end, width}); };
  std::vector<mx::array> blocks;
  for (int first = 0; first < queries; first += attentionBlock) {
    const int count = std::min(attentionBlock, queries - first), at = item.band.firstQuery + first;
    const int low = item.band.left < 0 ? 0 : std::max(0, at - item.band.left);
    const int high = item.band.right < 0 ? keys : std::min(keys, at + count + item.band.right);
    const int top = item.farthest - (at + count - 1) + low;  // row of the block's greatest distance
    const AttentionItem block{{0, count},
                              rows(item.key, low, high),
                              rows(item.value, low, high),
                              rows(item.position, top, top + count + high - low - 1),
                              at + count - 1 - low,
                              {item.band.left, item.band.right, at - low}};
    blocks.push_back(attendBlock(rows(query, first, first + count), block, u, v, heads));
  }
  return blocks.size() == 1 ? blocks[0] : mx::concatenate(blocks, 0);
}

}  // namespace

mx::array relativeAttention(const mx::array& query, const std::vector<AttentionItem>& items, const mx::array& u,
                            const mx::array& v, int heads) {
  const int width = query.shape(1);
  std::vector<mx::array> outputs;
  for (const AttentionItem& item : items) {
    mustHaveWidth("Attention's keys", item.key, width);
    mustHaveWidth("Attention's values", item.value, width);
    const mx::array own = mx::slice(query, {item.queries.first, 0}, {item.queries.end(), width});
    outputs.push_back(attendPlainly(own, item, u, v, heads));
  }
  return outputs.size() == 1 ? outputs[0] : mx::concatenate(outputs, 0);
}

}  // namespace parakeet::ops
