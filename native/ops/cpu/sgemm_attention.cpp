#ifdef PARAKEET_ONEDNN

#include "ops/cpu/sgemm_attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/cpu/onednn.h"
#include "ops/cpu/pointwise.h"

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
      const KeyRange own = shape.band.keysAt(at + i, shape.keys());
      softmaxRange(row, shifted, span, own.begin - low, own.end - low);
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

void attendBySgemm(const std::vector<AttentionShape>& shapes, const std::vector<AttentionInput>& inputs) {
  std::vector<AttentionInput> items = inputs;
  std::vector<Joined> joined;
  for (size_t i = 0; i < shapes.size(); i++) joined.emplace_back(items[i], shapes[i]);
  forEachHead(shapes, [&](size_t item, int head) { attendHead(items[item], shapes[item], head); });
}

}  // namespace parakeet::ops

#endif
