// How a TileMatrix gets its panels: packed from rows, or found packed.
#ifdef PARAKEET_CPU_KERNELS

#include <algorithm>
#include <cstring>
#include <numeric>

#include "ops/cpu/aligned.h"
#include "ops/cpu/packed_weights.h"
#include "ops/cpu/pointwise.h"
#include "ops/cpu/quantize.h"
#include "ops/cpu/tile_four_bits.h"
#include "ops/cpu/tile_kernel.h"
#include "ops/cpu/tile_matrix.h"
#include "ops/cpu/tile_panel.h"
#include "ops/pool.h"

namespace parakeet::ops {
namespace {

// Cache lines, of which the memory of weights begins with one.
constexpr size_t cacheLine = 64;

StoredType typeOf(ProductKind stored) {
  if (stored == ProductKind::float32) return StoredType::f32;
  return stored == ProductKind::bfloat16 ? StoredType::bf16 : StoredType::i8;
}

ProductKind kindOf(DType dtype) {
  if (dtype == DType::float32) return ProductKind::float32;
  return dtype == DType::bfloat16 ? ProductKind::bfloat16 : ProductKind::bytes;
}

PackedLayout layoutFor(int rows, int groups, bool gated, ProductKind kind) {
  const int halves = gated ? 2 : 1, columns = tileColumns / halves;
  return {(rows / halves + columns - 1) / columns, groups, halves, columns, groupSize(kind)};
}

// packed[group][column] = rows[column][group], groups of the size of a Word.
template <class Word>
void interleave(const char* rows, size_t stride, size_t groups, char* packed) {
  // So many that what is written stays in the first-level cache.
  constexpr size_t some = 64;
  auto* to = reinterpret_cast<Word*>(packed);
  for (size_t first = 0; first < groups; first += some) {
    const size_t last = std::min(groups, first + some);
    for (int column = 0; column < tileColumns; column++) {
      const auto* from = reinterpret_cast<const Word*>(rows + column * stride);
      for (size_t group = first; group < last; group++) to[group * tileColumns + column] = from[group];
    }
  }
}

}  // namespace

TileMatrix::TileMatrix(const WeightRows& weight, const std::vector<float>& bias, DType dtype, const LinearShape& shape)
    : stored_(kindOf(dtype)),
      kind_(multipliedAs(stored_)),
      outputs_(shape.gated ? weight.rows() / 2 : weight.rows()),
      inputs_(weight.columns()),
      groups_(paddedGroups(kind_, inputs_)),
      gated_(shape.gated),
      fourBits_(dtype == DType::int4 && fitsFourBits(inputs_)) {
  const int width = outputs_ / shape.parts, most = gated_ ? tileColumns / 2 : tileColumns;
  for (int part = 0; part < shape.parts; part++) {
    for (int first = 0; first < width; first += most)
      panels_.push_back({part, first, std::min(most, width - first), nullptr});
  }
  bias_.resize(panels_.size() * tileColumns);
  if (stored_ == ProductKind::bytes) {
    scale_.resize(bias_.size(), 1.0f);
    sum_.resize(bias_.size());
  }
  const bool found = findPacked(weight);
  if (!found) makePanels();
  parallelFor(static_cast<int>(panels_.size()), 1, [&](int begin, int end) {
    for (int i = begin; i < end; i++) {
      if (found)
        describe(weight, bias, i);
      else if (fourBits_)
        packInFourBits(weight, bias, i);
      else
        pack(weight, bias, i);
    }
  });
}

// Memory for the panels.
void TileMatrix::makePanels() {
  const size_t size = storedBytes(groups_);
  owned_ = WeightBuffer<char>(panels_.size() * size);
  for (size_t i = 0; i < panels_.size(); i++) panels_[i].weights = owned_.data() + i * size;
}

// Whether the weights lie just so where they are stored: then they are multiplied there.
bool TileMatrix::findPacked(const WeightRows& weight) {
  if (fourBits_) return false;
  size_t next = 0;
  for (const WeightRows::Part& part : weight.parts()) {
    // What another program wrote may lie anywhere in its file.
    const bool aligned = reinterpret_cast<uintptr_t>(part.stored) % cacheLine == 0;
    if (!aligned || !part.packed || *part.packed != layoutOf(part.rows) || part.type != typeOf(stored_)) return false;
    const auto* stored = reinterpret_cast<const char*>(part.stored);
    for (int i = 0; i < part.packed->panels; i++, stored += storedBytes(groups_)) panels_.at(next++).weights = stored;
    owners_.push_back(part.owner);
  }
  return true;
}

// Of so many rows of the matrix.
PackedLayout TileMatrix::layoutOf(int rows) const { return layoutFor(rows, groups_, gated_, kind_); }

// What the weights of a packed panel do not tell: bias, scales and sums.
void TileMatrix::describe(const WeightRows& weight, const std::vector<float>& bias, size_t index) {
  forEachColumn(index, [&](int row, int column) {
    const size_t at = index * tileColumns + column;
    if (!bias.empty()) bias_[at] = bias[row];
    if (stored_ == ProductKind::bytes) scale_[at] = weight.scaleOf(row);
  });
  if (!ofWholeNumbers(kind_)) return;
  // A row of ones, multiplied with the panel, gives the sums of its columns.
  thread_local AlignedBytes memory;
  const size_t stride = paddedStride(groups_), values = static_cast<size_t>(groups_) * groupSize(kind_);
  void* ones = memory.grown(stride * rowsWithPadding(kind_, 1));
  if (kind_ == ProductKind::words)
    std::fill_n(static_cast<int16_t*>(ones), values, int16_t{1});
  else
    std::fill_n(static_cast<int8_t*>(ones), values, int8_t{1});
  const TileScope scope(kind_);
  const PanelProduct product{
      .kind = kind_, .activations = static_cast<const char*>(ones), .stride = stride, .rows = 1, .groups = groups_};
  const auto weights = [&](int group, int count) { return weightsOf(index, group, count); };
  ops::multiplyPanel(product, weights, [&](int, int, const float* sums) {
    std::memcpy(sum_.data() + index * tileColumns, sums, tileColumns * sizeof *sums);
  });
}

PackedLayout packedLayout(int rows, int columns, DType dtype, bool gated) {
  const ProductKind kind = multipliedAs(kindOf(dtype));
  return layoutFor(rows, paddedGroups(kind, columns), gated, kind);
}

std::vector<char> packWeights(const WeightRows& rows, DType dtype, bool gated) {
  const TileMatrix matrix(rows, {}, dtype, {.gated = gated});
  return {matrix.owned_.data(), matrix.owned_.data() + matrix.owned_.size()};
}

// A row in the stored type, as the column `column` of all panels.
void TileMatrix::storeRow(const WeightRows& weight, int row, size_t column, char* stored) {
  if (stored_ == ProductKind::float32) return weight.copyRow(row, reinterpret_cast<float*>(stored));
  if (stored_ == ProductKind::bytes) {
    if (const int8_t* bytes = weight.bytesOf(row, scale_[column])) {
      std::memcpy(stored, bytes, inputs_);
      sum_[column] = std::accumulate(bytes, bytes + inputs_, int32_t{0});
      return;
    }
  }
  thread_local std::vector<float> wide;
  wide.resize(std::max<size_t>(wide.size(), inputs_));
  weight.copyRow(row, wide.data());
  if (stored_ == ProductKind::bfloat16) return toBfloat16(wide.data(), reinterpret_cast<uint16_t*>(stored), inputs_);
  const QuantizedChannel channel = quantizeChannel(wide.data(), reinterpret_cast<int8_t*>(stored), inputs_);
  scale_[column] = channel.scale;
  sum_[column] = channel.sum;
}

// Calls `body(row, column)` for the rows of weights that are a panel's columns.
template <class Body>
void TileMatrix::forEachColumn(size_t index, Body body) const {
  const Panel& panel = panels_[index];
  const int width = outputs_ / (panels_.back().part + 1);
  for (int half = 0; half < (gated_ ? 2 : 1); half++) {
    for (int c = 0; c < panel.columns; c++)
      body(half * outputs_ + panel.part * width + panel.first + c, half * (tileColumns / 2) + c);
  }
}

void TileMatrix::packInFourBits(const WeightRows& weight, const std::vector<float>& bias, size_t index) {
  const int groups = inputs_ / fourBitValues;
  const FourBitGroup* columns[tileColumns] = {};
  thread_local std::vector<FourBitGroup> made;
  thread_local std::vector<float> wide;
  thread_local std::vector<int8_t> bytes;
  made.resize(std::max<size_t>(made.size(), static_cast<size_t>(groups) * tileColumns));
  wide.resize(std::max<size_t>(wide.size(), inputs_));
  bytes.resize(std::max<size_t>(bytes.size(), inputs_));
  forEachColumn(index, [&](int row, int column) {
    const size_t at = index * tileColumns + column;
    if (!bias.empty()) bias_[at] = bias[row];
    columns[column] = weight.fourBitsOf(row, scale_[at]);
    if (!columns[column]) {
      FourBitGroup* own = made.data() + static_cast<size_t>(column) * groups;
      weight.copyRow(row, wide.data());
      scale_[at] = quantizeFourBits(wide.data(), inputs_, own);
      columns[column] = own;
    }
    bytesOfFourBits(columns[column], inputs_, bytes.data());
    sum_[at] = std::accumulate(bytes.begin(), bytes.begin() + inputs_, int32_t{0});
  });
  // What pads the groups is zeros already.
  packFourBits(columns, groups, kind_, reinterpret_cast<uint8_t*>(owned_.data() + index * storedBytes(groups_)));
}

void TileMatrix::pack(const WeightRows& weight, const std::vector<float>& bias, size_t index) {
  // What is widened lies value by value, as the product's floats will.
  const int values = groupSize(kind_);
  const size_t size = 4 / groupSize(stored_);
  const auto groups = static_cast<size_t>((inputs_ + values - 1) / values);
  // Rows in the stored type, one column of the panel each; zeros for those that it lacks.
  thread_local AlignedBytes memory;
  const size_t stride = (groups * values * size + 63) / 64 * 64;
  auto* rows = static_cast<char*>(memory.grown(stride * tileColumns));
  std::memset(rows, 0, stride * tileColumns);
  forEachColumn(index, [&](int row, int column) {
    const size_t at = index * tileColumns + column;
    if (!bias.empty()) bias_[at] = bias[row];
    storeRow(weight, row, at, rows + column * stride);
  });
  char* packed = owned_.data() + index * storedBytes(groups_);
  switch (values * size) {
    case 4:
      return interleave<uint32_t>(rows, stride, groups, packed);
    case 2:
      return interleave<uint16_t>(rows, stride, groups, packed);
    default:
      return interleave<uint8_t>(rows, stride, groups, packed);
  }
}

// Of so many groups of a panel.
size_t TileMatrix::storedBytes(int groups) const {
  if (fourBits_) return fourBitBlocks(kind_, groups) * fourBitBlock;
  return panelBytes(groups) / groupSize(stored_) * groupSize(kind_);
}

}  // namespace parakeet::ops

#endif
