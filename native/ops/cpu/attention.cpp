#ifdef PARAKEET_ONEDNN

#include "ops/cpu/attention.h"

#include <algorithm>
#include <cmath>

#include "ops/cpu/onednn.h"
#include "ops/cpu/pointwise.h"
#include "ops/cpu/pool.h"

namespace parakeet::ops {
namespace {

// Queries handled at once, so that the scores of a long recording need not all be there.
constexpr int blockRows = 128;

void grow(std::vector<float>& buffer, size_t count) {
  if (buffer.size() < count) buffer.resize(count);
}

void attendHead(const std::vector<const float*>& inputs, float* output, const AttentionShape& shape, int head) {
  const int width = shape.width, size = width / shape.heads, offset = head * size, keys = shape.keys;
  const float* key = inputs[1] + offset;
  const float* value = inputs[2] + offset;
  const float* u = inputs[4] + offset;
  const float* v = inputs[5] + offset;
  const float scale = 1.0f / std::sqrt(static_cast<float>(size));
  thread_local std::vector<float> query, content, distance;  // of the largest block so far
  grow(query, static_cast<size_t>(blockRows) * size);
  for (int first = 0; first < shape.queries; first += blockRows) {
    const int rows = std::min(blockRows, shape.queries - first);
    // Keys that any query of the block may see.
    const int at = shape.band.firstQuery + first;
    const int low = shape.band.left < 0 ? 0 : std::max(0, at - shape.band.left);
    const int high = shape.band.right < 0 ? keys : std::min(keys, at + rows + shape.band.right);
    const int span = high - low;
    const auto biased = [&](const float* bias) {
      for (int i = 0; i < rows; i++) {
        const float* source = inputs[0] + static_cast<size_t>(first + i) * width + offset;
        for (int c = 0; c < size; c++) query[static_cast<size_t>(i) * size + c] = source[c] + bias[c];
      }
    };
    biased(u);
    grow(content, static_cast<size_t>(rows) * span);
    sgemm({rows, span, size, true, scale}, query.data(), size, key + static_cast<size_t>(low) * width, width,
          content.data(), span);
    // The distance of query i and key low + j is row (queries − 1 − first − i) + low + j of `position`.
    biased(v);
    const int positions = rows + span - 1;
    const int base = shape.queries - first - rows + low;
    grow(distance, static_cast<size_t>(rows) * positions);
    sgemm({rows, positions, size, true, scale}, query.data(), size,
          inputs[3] + static_cast<size_t>(base) * width + offset, width, distance.data(), positions);
    for (int i = 0; i < rows; i++) {
      float* row = content.data() + static_cast<size_t>(i) * span;
      const float* shifted = distance.data() + static_cast<size_t>(i) * positions + (rows - 1 - i);
      const int begin = shape.band.left < 0 ? 0 : std::max(0, at + i - shape.band.left - low);
      const int end = shape.band.right < 0 ? span : std::min(span, at + i + shape.band.right + 1 - low);
      softmaxRange(row, shifted, span, begin, end);
    }
    sgemm({rows, size, span}, content.data(), span, value + static_cast<size_t>(low) * width, width,
          output + static_cast<size_t>(first) * width + offset, width);
  }
}

}  // namespace

void attend(const std::vector<const float*>& inputs, float* output, const AttentionShape& shape) {
  const double work =
      static_cast<double>(shape.queries) * (shape.queries + 3.0 * shape.keys) * shape.width / shape.heads;
  const int grain = std::max(1, static_cast<int>(2e6 / work));
  parallelFor(shape.heads, grain, [&](int begin, int end) {
    for (int head = begin; head < end; head++) attendHead(inputs, output, shape, head);
  });
}

}  // namespace parakeet::ops

#endif
