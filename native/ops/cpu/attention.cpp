#ifdef PARAKEET_ONEDNN

#include "ops/cpu/attention.h"

#include <algorithm>
#include <cmath>

#include "ops/cpu/onednn.h"
#include "ops/cpu/pointwise.h"
#include "ops/cpu/tile_attention.h"
#include "ops/cpu/tile_kernel.h"
#include "ops/pool.h"

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
    // The distance of query i and key low + j is row farthest − (at + i) + low + j of the item's positions.
    biased(v);
    const int positions = rows + span - 1;
    const int base = shape.firstPosition + shape.farthest - (at + rows - 1) + low;
    grow(distance, static_cast<size_t>(rows) * positions);
    sgemm({rows, positions, size, true, scale}, query.data(), size,
          item.positions + static_cast<size_t>(base) * width + offset, width, distance.data(), positions);
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

// Keys and values of the past and the item's own in one place each, as sgemm reads them.
class Joined {
 public:
  Joined(AttentionInput& item, const AttentionShape& shape) {
    if (shape.past == 0) return;
    const auto join = [&](const float*& past, const float*& own, std::vector<float>& all) {
      const size_t width = shape.width, before = shape.past * width;
      all.resize(before + shape.queries.count * width);
      std::copy_n(past, before, all.begin());
      std::copy_n(own, shape.queries.count * width, all.begin() + static_cast<ptrdiff_t>(before));
      past = nullptr;
      own = all.data();
    };
    join(item.pastKey, item.key, keys_);
    join(item.pastValue, item.value, values_);
  }

 private:
  std::vector<float> keys_, values_;
};

}  // namespace

KeySpan keysOf(const AttentionShape& shape, int first, int count) {
  const int at = shape.band.firstQuery + first;
  return {shape.band.left < 0 ? 0 : std::max(0, at - shape.band.left),
          shape.band.right < 0 ? shape.keys() : std::min(shape.keys(), at + count + shape.band.right)};
}

std::optional<ProductKind> packedKind(DType dtype) {
  // In bfloat16, attention would add as much to the error as all other products do; to that of bytes it adds nothing.
  const bool narrow = dtype == DType::int8 && hasTileKernel(ProductKind::bfloat16);
  const ProductKind kind = narrow ? ProductKind::bfloat16 : ProductKind::float32;
  return hasTileKernel(kind) ? std::optional(kind) : std::nullopt;
}

void attend(const std::vector<AttentionShape>& shapes, const std::vector<AttentionInput>& inputs, DType dtype) {
  const std::optional<ProductKind> kind = packedKind(dtype);
  std::vector<AttentionInput> items = inputs;
  std::vector<Joined> joined;
  const int heads = shapes[0].heads;
  double work = 0;
  for (size_t i = 0; i < shapes.size(); i++) {
    const double queries = shapes[i].queries.count;
    work += queries * (queries + 3.0 * shapes[i].keys()) * shapes[i].width / heads;
    if (!kind) joined.emplace_back(items[i], shapes[i]);
  }
  const auto count = static_cast<int>(shapes.size());
  const int grain = std::max(1, static_cast<int>(1e6 * count / work));
  parallelFor(count * heads, grain, [&](int begin, int end) {
    for (int i = begin; i < end; i++) {
      const AttentionShape& shape = shapes[i / heads];
      const AttentionInput& item = items[i / heads];
      kind ? attendHeadInTiles(*kind, item, shape, i % heads) : attendHead(item, shape, i % heads);
    }
  });
}

}  // namespace parakeet::ops

#endif
