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
// the better. As many as a panel has columns: then the positions of each block of a whole recording begin with a panel.
constexpr int blockRows = tileColumns;

// Rows of zeros in the packed table. The positions of a block, whose keys begin with a panel, begin at most a panel
// less one before the first row; with the distances that the encoder keeps, which begin with a multiple of 32, those of
// a whole block without a past begin with a panel then. They end as many after the last one, or with that panel.
constexpr int rowsBefore = blockRows - 1, rowsAfter = blockRows - 1 + tileColumns - 1;

// sums[rows, tileColumns · panels]. `after`: what is read next, as much as a panel; or null.
void multiplyPanels(ProductKind kind, const char* x, size_t stride, int rows, const Panels& operand, int first,
                    int panels, float* sums, size_t sumsStride, const char* after) {
  constexpr size_t line = 64;
  // Each tile of the rows fetches its part of the next panel: a stream's past was last read a step ago.
  const int tallest = tileRows(kind), steps = operand.groups / groupAlignment(kind);
  const size_t parts = line * steps * tilesOf(tallest, rows), lines = (panelBytes(operand.groups) + parts - 1) / parts;
  for (int panel = 0; panel < panels; panel++) {
    const char* columns = operand.data + (first + panel) * operand.panelStride;
    const char* next = panel + 1 < panels ? columns + operand.panelStride : after;
    forEachTile(tallest, rows, [&](int tile, int row, int count) {
      multiplyTile(kind, {.activations = x + row * stride,
                          .activationsStride = stride,
                          .weights = columns,
                          .groups = operand.groups,
                          .rows = count,
                          .sums = sums + row * sumsStride + static_cast<size_t>(panel) * tileColumns,
                          .sumsStride = sumsStride,
                          .next = next ? next + line * steps * lines * tile : nullptr,
                          .nextLines = next ? static_cast<int>(lines) : 0});
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
        head_(head),
        offset_(static_cast<ptrdiff_t>(head) * size_),
        groups_(paddedGroups(kind, size_)),
        positions_(positionsOf(kind, item.positions, shape, head)) {}

  // Adds the item's keys and values to its log, if it has one.
  void log() {
    const LogPlan& plan = *item_.logged;
    if (!plan.log) return;
    if (plan.moved) plan.log->copy(head_, *plan.moved, plan.movedFrom, plan.own);
    plan.log->write(head_, plan.own, shape_.queries.count, item_.key + offset_, item_.value + offset_, shape_.width);
    keys_ = plan.log->keys(head_);
    values_ = plan.log->values(head_);
    firstPacked_ = -plan.past;
  }

  // Queries [first, first + count).
  void attendSpan(int first, int count) {
    place_ = shape_.band.firstQuery + first;
    if (!item_.logged->log) pack(keysOf(shape_, first, count));
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

  // Keys of the range, and their values.
  void pack(const KeyRange& range) {
    Memory& scratch = memory();
    const int keys = range.end - range.begin;
    firstPacked_ = range.begin;
    const auto rowOf = [&](const float* x, int key) {
      return x + static_cast<ptrdiff_t>(key) * shape_.width + offset_;
    };
    keys_ = packRows(scratch.keys, keys, [&](int index) { return rowOf(item_.key, range.begin + index); });
    values_.groups = paddedGroups(kind_, keys);
    values_.panelStride = panelBytes(values_.groups);
    const int panels = ceilDivide(size_, tileColumns);
    auto* to = static_cast<char*>(scratch.values.grown(panels * values_.panelStride));
    values_.data = to;
    scratch.rows.clear();
    for (int key = range.begin; key < range.end; key++) scratch.rows.push_back(rowOf(item_.value, key));
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
    // Its keys, from the beginning of a panel on: `zero` is the first one's, which may be none of its own.
    const auto [low, high] = keysOf(shape_, first, rows);
    const int firstKey = (low - firstPacked_) / tileColumns * tileColumns, zero = firstPacked_ + firstKey,
              keys = high - zero;
    // Query i and key j are farthest − (place of i) + (place of j) rows down the item's positions: the first row is
    // that of the last query and the first key. Rows that no query looks up may lie outside.
    const int origin = shape_.firstPosition + shape_.farthest - (place_ + row + rows - 1) + zero;
    const int firstPosition = (rowsBefore + origin) / tileColumns, shift = (rowsBefore + origin) % tileColumns;
    const int keyPanels = ceilDivide(keys, tileColumns),
              positionPanels = ceilDivide(shift + rows + keys - 1, tileColumns);
    const size_t contentStride = static_cast<size_t>(keyPanels) * tileColumns,
                 distanceStride = static_cast<size_t>(positionPanels) * tileColumns;
    auto* content = static_cast<float*>(scratch.content.grown(contentStride * blockRows * sizeof(float)));
    // The softmax reads whole registers from anywhere in a row: one more than there is.
    auto* distance =
        static_cast<float*>(scratch.distance.grown((distanceStride * blockRows + tileColumns) * sizeof(float)));
    const int weightGroups = paddedGroups(kind_, keys);
    const Panels values{values_.data + panelBytes(firstKey / groupSize(kind_)), weightGroups, values_.panelStride};
    const size_t queryStride = paddedStride(groups_);
    multiplyPanels(kind_, biasedQueries(first, rows, item_.u, queryStride), queryStride, rows, keys_,
                   firstKey / tileColumns, keyPanels, content, contentStride,
                   positions_.data + firstPosition * positions_.panelStride);
    multiplyPanels(kind_, biasedQueries(first, rows, item_.v, queryStride), queryStride, rows, positions_,
                   firstPosition, positionPanels, distance, distanceStride, values.data);

    const size_t weightStride = paddedStride(weightGroups);
    auto* weights = static_cast<char*>(scratch.weights.grown(weightStride * blockRows));
    std::array<float, blockRows> inverse;
    for (int i = 0; i < rows; i++) {
      const KeyRange own = shape_.band.keysAt(place_ + row + i, shape_.keys());
      const int begin = own.begin - zero, end = own.end - zero;
      inverse[i] =
          softmaxRow(kind_, content + i * contentStride, distance + i * distanceStride + shift + (rows - 1 - i), begin,
                     end, weightGroups, weights + i * weightStride);
    }

    const int valuePanels = ceilDivide(size_, tileColumns), mixedStride = valuePanels * tileColumns;
    auto* mixed =
        static_cast<float*>(scratch.mixed.grown(static_cast<size_t>(mixedStride) * blockRows * sizeof(float)));
    multiplyPanels(kind_, weights, weightStride, rows, values, 0, valuePanels, mixed, mixedStride, nullptr);
    for (int i = 0; i < rows; i++) {
      float* output = item_.output + static_cast<size_t>(first + i) * shape_.width + offset_;
      for (int c = 0; c < size_; c++) output[c] = mixed[static_cast<size_t>(i) * mixedStride + c] * inverse[i];
    }
  }

  ProductKind kind_;
  const AttentionInput& item_;
  const AttentionShape& shape_;
  int size_, head_;
  ptrdiff_t offset_;
  int groups_;
  int place_ = 0;        // of the span's first query
  int firstPacked_ = 0;  // the key at the first row of `keys_` and `values_`
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
  attention.log();
  for (int first = 0; first < shape.queries.count && !givenUp(); first += spanRows)
    attention.attendSpan(first, std::min(spanRows, shape.queries.count - first));
}

}  // namespace parakeet::ops

#endif
