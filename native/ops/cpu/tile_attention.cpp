#ifdef PARAKEET_CPU_KERNELS

#include "ops/cpu/tile_attention.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "ops/cpu/aligned.h"
#include "ops/cpu/attention_rows.h"
#include "ops/cpu/tile_kernel.h"
#include "ops/pool.h"

namespace parakeet::ops {
namespace {

// Queries whose keys, values and positions are packed together.
constexpr int spanRows = 512;
// Queries that are scored at once. All of them are multiplied with the positions that any of them needs, so the fewer
// the better. As many as a panel has columns: then the positions of each block begin with a panel.
constexpr int blockRows = tileColumns;

constexpr int ceilDivide(int n, int by) { return (n + by - 1) / by; }

// Rows of zeros in the packed table. A block's positions begin at most blockRows − 1 rows before the first row; with
// the distances that the encoder keeps, which begin with a multiple of 32, they begin with a panel then. They end as
// many after the last one, or with that panel.
constexpr int rowsBefore = blockRows - 1, rowsAfter = blockRows - 1 + tileColumns - 1;

// The second operand of a product: panels of tileColumns columns, each of them [groups][tileColumns] groups.
struct Panels {
  const char* data;
  int groups;          // that are multiplied
  size_t panelStride;  // bytes
};

// sums[rows, tileColumns · panels].
void multiplyPanels(ProductKind kind, const char* x, size_t stride, int rows, const Panels& operand, int first,
                    int panels, float* sums, size_t sumsStride) {
  for (int panel = 0; panel < panels; panel++) {
    const char* columns = operand.data + (first + panel) * operand.panelStride;
    forEachTile(tileRows(kind), rows, [&](int, int row, int count) {
      multiplyTile(kind, {x + row * stride, stride, columns, operand.groups, count,
                          sums + row * sumsStride + static_cast<size_t>(panel) * tileColumns, sumsStride});
    });
  }
}

Panels positionsOf(ProductKind kind, const float* packed, const AttentionShape& shape, int head) {
  const int groups = paddedGroups(kind, shape.width / shape.heads);
  const size_t stride = panelBytes(groups), ofHead = static_cast<size_t>(shape.tableRows) / tileColumns * stride;
  return {reinterpret_cast<const char*>(packed) + head * ofHead, groups, stride};
}

// One head of one item. Lives for one call; its memory is the thread's, as large as its largest span so far.
class Head {
 public:
  Head(ProductKind kind, const AttentionInput& item, const AttentionShape& shape, int head)
      : kind_(kind),
        item_(item),
        shape_(shape),
        size_(shape.width / shape.heads),
        offset_(static_cast<ptrdiff_t>(head) * size_),
        groups_(paddedGroups(kind, size_)),
        positions_(positionsOf(kind, item.positions, shape, head)) {}

  // Queries [first, first + count).
  void attendSpan(int first, int count) {
    span_ = keysOf(shape_, first, count);
    place_ = shape_.band.firstQuery + first;
    pack();
    for (int row = 0; row < count && !givenUp(); row += blockRows)
      attendBlock(first + row, row, std::min(blockRows, count - row));
  }

 private:
  struct Memory {
    AlignedBytes keys, values, content, distance, query, weights, mixed;
    std::vector<const float*> rows;
  };
  static Memory& memory() {
    thread_local Memory memory;
    return memory;
  }

  // Row `index` of keys or values, of which the past ones come first.
  const float* rowOf(const float* past, const float* own, int index) const {
    const ptrdiff_t width = shape_.width;
    return (index < shape_.past ? past + index * width : own + (index - shape_.past) * width) + offset_;
  }

  // The rows that `row(index)` gives for [0, count), null for zeros.
  template <class Row>
  Panels packRows(AlignedBytes& packed, int count, Row row) const {
    const int panels = ceilDivide(count, tileColumns);
    const size_t panelStride = panelBytes(groups_);
    auto* to = static_cast<char*>(packed.grown(panels * panelStride));
    for (int panel = 0; panel < panels; panel++) {
      std::array<const float*, tileColumns> rows{};
      for (int c = 0; c < std::min(tileColumns, count - panel * tileColumns); c++)
        rows[c] = row(panel * tileColumns + c);
      packColumns(kind_, rows.data(), size_, groups_, to + panel * panelStride);
    }
    return {to, groups_, panelStride};
  }

  void pack() {
    Memory& scratch = memory();
    const int keys = span_.end - span_.begin;
    keys_ =
        packRows(scratch.keys, keys, [&](int index) { return rowOf(item_.pastKey, item_.key, span_.begin + index); });
    values_.groups = paddedGroups(kind_, keys);
    values_.panelStride = panelBytes(values_.groups);
    const int panels = ceilDivide(size_, tileColumns);
    auto* to = static_cast<char*>(scratch.values.grown(panels * values_.panelStride));
    values_.data = to;
    scratch.rows.clear();
    for (int key = span_.begin; key < span_.end; key++)
      scratch.rows.push_back(rowOf(item_.pastValue, item_.value, key));
    for (int panel = 0; panel < panels; panel++)
      packInner(kind_, scratch.rows.data(), keys, panel * tileColumns, size_, values_.groups,
                to + panel * values_.panelStride);
  }

  const char* biasedQueries(int first, int rows, const float* bias, size_t stride) const {
    const float scale = 1.0f / std::sqrt(static_cast<float>(size_));
    auto* queries = static_cast<char*>(memory().query.grown(stride * blockRows));
    for (int i = 0; i < rows; i++)
      biasedRow(kind_, item_.query + static_cast<size_t>(first + i) * shape_.width + offset_, bias + offset_, scale,
                size_, groups_, queries + i * stride);
    return queries;
  }

  // Queries [first, first + rows), of the span from `row` on.
  void attendBlock(int first, int row, int rows) const {
    Memory& scratch = memory();
    // Its keys, from the beginning of a panel on.
    const auto [low, high] = keysOf(shape_, first, rows);
    const int firstKey = (low - span_.begin) / tileColumns * tileColumns, keys = high - span_.begin - firstKey;
    // Query i and key j are farthest − (place of i) + (place of j) rows down the item's positions: the first row is
    // that of the last query, a whole block's, and the first key. Rows that no query looks up may lie outside.
    const int origin = shape_.firstPosition + shape_.farthest - (place_ + row + blockRows - 1) + span_.begin + firstKey;
    const int firstPosition = (rowsBefore + origin) / tileColumns, shift = (rowsBefore + origin) % tileColumns;
    const int keyPanels = ceilDivide(keys, tileColumns),
              positionPanels = ceilDivide(shift + blockRows + keys - 1, tileColumns);
    const size_t contentStride = static_cast<size_t>(keyPanels) * tileColumns,
                 distanceStride = static_cast<size_t>(positionPanels) * tileColumns;
    auto* content = static_cast<float*>(scratch.content.grown(contentStride * blockRows * sizeof(float)));
    // The softmax reads whole registers from anywhere in a row: one more than there is.
    auto* distance =
        static_cast<float*>(scratch.distance.grown((distanceStride * blockRows + tileColumns) * sizeof(float)));
    const size_t queryStride = paddedStride(groups_);
    multiplyPanels(kind_, biasedQueries(first, rows, item_.u, queryStride), queryStride, rows, keys_,
                   firstKey / tileColumns, keyPanels, content, contentStride);
    multiplyPanels(kind_, biasedQueries(first, rows, item_.v, queryStride), queryStride, rows, positions_,
                   firstPosition, positionPanels, distance, distanceStride);

    const int weightGroups = paddedGroups(kind_, keys);
    const size_t weightStride = paddedStride(weightGroups);
    auto* weights = static_cast<char*>(scratch.weights.grown(weightStride * blockRows));
    std::array<float, blockRows> inverse;
    for (int i = 0; i < rows; i++) {
      const KeyRange own = shape_.band.keysAt(place_ + row + i, shape_.keys());
      const int begin = own.begin - span_.begin - firstKey, end = own.end - span_.begin - firstKey;
      inverse[i] =
          softmaxRow(kind_, content + i * contentStride, distance + i * distanceStride + shift + (blockRows - 1 - i),
                     begin, end, weightGroups, weights + i * weightStride);
    }

    const int valuePanels = ceilDivide(size_, tileColumns), mixedStride = valuePanels * tileColumns;
    auto* mixed =
        static_cast<float*>(scratch.mixed.grown(static_cast<size_t>(mixedStride) * blockRows * sizeof(float)));
    const Panels values{values_.data + panelBytes(firstKey / groupSize(kind_)), weightGroups, values_.panelStride};
    multiplyPanels(kind_, weights, weightStride, rows, values, 0, valuePanels, mixed, mixedStride);
    for (int i = 0; i < rows; i++) {
      float* output = item_.output + static_cast<size_t>(first + i) * shape_.width + offset_;
      for (int c = 0; c < size_; c++) output[c] = mixed[static_cast<size_t>(i) * mixedStride + c] * inverse[i];
    }
  }

  ProductKind kind_;
  const AttentionInput& item_;
  const AttentionShape& shape_;
  int size_;
  ptrdiff_t offset_;
  int groups_;
  KeyRange span_{};
  int place_ = 0;  // of the span's first query
  Panels positions_, keys_{}, values_{};
};

}  // namespace

int positionPanels(int rows) { return ceilDivide(rowsBefore + rows + rowsAfter, tileColumns); }

size_t packedPositionsSize(ProductKind kind, int rows, int width, int heads) {
  return static_cast<size_t>(heads) * positionPanels(rows) * panelBytes(paddedGroups(kind, width / heads)) / 4;
}

void packPositions(ProductKind kind, const float* table, int rows, int width, int heads, void* packed) {
  const int panels = positionPanels(rows), size = width / heads, groups = paddedGroups(kind, size);
  parallelFor(heads * panels, 1, [&](int begin, int end) {
    for (int i = begin; i < end; i++) {
      const int head = i / panels, first = i % panels * tileColumns - rowsBefore;
      std::array<const float*, tileColumns> columns{};
      for (int c = 0; c < tileColumns; c++) {
        const int row = first + c;
        if (row >= 0 && row < rows) columns[c] = table + static_cast<ptrdiff_t>(row) * width + head * size;
      }
      packColumns(kind, columns.data(), size, groups, static_cast<char*>(packed) + i * panelBytes(groups));
    }
  });
}

void attendHeadInTiles(ProductKind kind, const AttentionInput& item, const AttentionShape& shape, int head) {
  const TileScope scope(kind);
  Head attention(kind, item, shape, head);
  for (int first = 0; first < shape.queries.count && !givenUp(); first += spanRows)
    attention.attendSpan(first, std::min(spanRows, shape.queries.count - first));
}

}  // namespace parakeet::ops

#endif
