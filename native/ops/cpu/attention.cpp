#ifdef PARAKEET_ONEDNN

#include "ops/cpu/attention.h"

#include <algorithm>
#include <cmath>

#include "ops/cpu/onednn.h"
#include "ops/cpu/pointwise.h"
#include "ops/cpu/pool.h"
#include "ops/cpu/tile_attention.h"
#include "ops/cpu/tile_kernel.h"

namespace parakeet::ops {
namespace {

constexpr int blockRows = attentionBlock;

void grow(std::vector<float>& buffer, size_t count) {
  if (buffer.size() < count) buffer.resize(count);
}

void attendHead(const AttentionInput& item, const AttentionShape& shape, int head) {
  const int width = shape.width, size = width / shape.heads, offset = head * size;
  const int queries = shape.queries.count;
  const float* key = item.key + offset;
  const float* value = item.value + offset;
  const float* u = item.u + offset;
  const float* v = item.v + offset;
  const float scale = 1.0f / std::sqrt(static_cast<float>(size));
  thread_local std::vector<float> query, content, distance;  // of the largest block so far
  grow(query, static_cast<size_t>(blockRows) * size);
  for (int first = 0; first < queries && !givenUp(); first += blockRows) {
    const int rows = std::min(blockRows, queries - first);
    const int at = shape.band.firstQuery + first;
    const auto [low, high] = keysOf(shape, first, rows);
    const int span = high - low;
    const auto biased = [&](const float* bias) {
      for (int i = 0; i < rows; i++) {
        const float* source = item.query + static_cast<size_t>(first + i) * width + offset;
        for (int c = 0; c < size; c++) query[static_cast<size_t>(i) * size + c] = source[c] + bias[c];
      }
    };
    biased(u);
    grow(content, static_cast<size_t>(rows) * span);
    sgemm({rows, span, size, true, scale}, query.data(), size, key + static_cast<size_t>(low) * width, width,
          content.data(), span);
    // The distance of query i and key low + j is row farthest − (at + i) + low + j of `position`.
    biased(v);
    const int positions = rows + span - 1;
    const int base = shape.farthest - (at + rows - 1) + low;
    grow(distance, static_cast<size_t>(rows) * positions);
    sgemm({rows, positions, size, true, scale}, query.data(), size,
          item.position + static_cast<size_t>(base) * width + offset, width, distance.data(), positions);
    for (int i = 0; i < rows; i++) {
      float* row = content.data() + static_cast<size_t>(i) * span;
      const float* shifted = distance.data() + static_cast<size_t>(i) * positions + (rows - 1 - i);
      const int begin = shape.band.left < 0 ? 0 : std::max(0, at + i - shape.band.left - low);
      const int end = shape.band.right < 0 ? span : std::min(span, at + i + shape.band.right + 1 - low);
      softmaxRange(row, shifted, span, begin, end);
    }
    sgemm({rows, size, span}, content.data(), span, value + static_cast<size_t>(low) * width, width,
          item.output + static_cast<size_t>(first) * width + offset, width);
  }
}

}  // namespace

KeySpan keysOf(const AttentionShape& shape, int first, int count) {
  const int at = shape.band.firstQuery + first;
  return {shape.band.left < 0 ? 0 : std::max(0, at - shape.band.left),
          shape.band.right < 0 ? shape.keys : std::min(shape.keys, at + count + shape.band.right)};
}

void attend(const std::vector<AttentionShape>& items, const std::vector<const float*>& inputs, float* output,
            DType dtype) {
  // In bfloat16, attention would add as much to the error as all other products do; to that of bytes it adds nothing.
  const bool narrow = dtype == DType::int8 && hasTileKernel(ProductKind::bfloat16);
  const ProductKind kind = narrow ? ProductKind::bfloat16 : ProductKind::float32;
  const bool inTiles = hasTileKernel(kind);
  const int heads = items[0].heads;
  double work = 0;
  for (const AttentionShape& item : items) {
    const double queries = item.queries.count;
    work += queries * (queries + 3.0 * item.keys) * item.width / heads;
  }
  const auto count = static_cast<int>(items.size());
  const int grain = std::max(1, static_cast<int>(2e6 * count / work));
  parallelFor(count * heads, grain, [&](int begin, int end) {
    for (int i = begin; i < end; i++) {
      const AttentionShape& shape = items[i / heads];
      const size_t row = static_cast<size_t>(shape.queries.first) * shape.width;
      const float* const* own = inputs.data() + 3 + static_cast<ptrdiff_t>(3) * (i / heads);
      const AttentionInput item{inputs[0] + row, inputs[1], inputs[2], own[0], own[1], own[2], output + row};
      inTiles ? attendHeadInTiles(kind, item, shape, i % heads) : attendHead(item, shape, i % heads);
    }
  });
}

}  // namespace parakeet::ops

#endif
