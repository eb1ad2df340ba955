#ifdef PARAKEET_CPU_KERNELS

#include "ops/cpu/tile_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/cpu/aligned.h"
#include "ops/cpu/pointwise.h"
#include "ops/cpu/tile_finish.h"
#include "ops/cpu/tile_four_bits.h"
#include "ops/cpu/tile_kernel.h"
#include "ops/cpu/tile_operand.h"
#include "ops/cpu/tile_panel.h"
#include "ops/pool.h"

namespace parakeet::ops {
namespace {

// Rows that are prepared at once: their operand stays in the second or third level of the cache.
constexpr int blockRows = 480;
// Bytes of an operand that are multiplied with all panels before the next ones: half of a second-level cache, which
// they are read from for each panel.
constexpr size_t operandBytes = size_t{1} << 20;
// Fewer values than this do not justify waking another thread.
constexpr int grainValues = 8192;
// The same for multiply-adds.
constexpr double grainWork = 5e5;
// Tiles up to which widening weights in each costs less than widening them once.
constexpr int narrowTiles = 2;

// What finishing a panel reads of each column was last read a step ago: it is fetched while the products are made.
void prefetchColumns(const void* values) {
  constexpr size_t line = 64, size = tileColumns * 4;
  for (size_t at = 0; values && at < size; at += line) __builtin_prefetch(static_cast<const char*>(values) + at);
}

}  // namespace

// The activations of a block of rows in the compute type.
struct TileMatrix::Operand {
  char* data;
  size_t stride;        // bytes
  QuantizedRow* bytes;  // of each row, of bytes; else null
  int rows;

  char* row(int r) const { return data + r * stride; }
  QuantizedRow* scaleOf(int r) const { return bytes ? bytes + r : nullptr; }
};

struct TileMatrix::Output : MatrixOutput {
  const Operand* narrow = nullptr;  // rows in bfloat16, in place of y
};

// Groups of a panel as they are kept.
PanelWeights TileMatrix::storedOf(size_t panel, int group, int count) const {
  const size_t size = storedBytes(count);
  const char* stored = panels_[panel].weights + storedBytes(group);
  return {stored, stored + size, size};
}

// Groups of a panel as the product reads them; of weights that are unpacked or widened the calling thread's copy, until
// its next call.
PanelWeights TileMatrix::weightsOf(size_t panel, int group, int count) const {
  const PanelWeights kept = storedOf(panel, group, count);
  const bool asStored = fourBits_ ? fourBitTileRows(kind_) > 0 : stored_ == kind_;
  if (asStored) return kept;
  thread_local AlignedBytes memory;
  void* made = memory.grown(panelBytes(count));
  fourBits_ ? unpack(kept.data, panel, count, made) : widen(kept.data, panel, count, made);
  return {static_cast<const char*>(made), kept.next, kept.nextSize};
}

// Of weights in four bits the operand of so many groups.
void TileMatrix::unpack(const char* stored, size_t panel, int count, void* made) const {
  const auto* blocks = reinterpret_cast<const uint8_t*>(stored);
  const int blockCount = fourBitBlocks(kind_, count);
  if (kind_ == ProductKind::bytes)
    unpackFourBits(blocks, blockCount, static_cast<int8_t*>(made));
  else if (kind_ == ProductKind::words)
    fourBitsToWords(blocks, blockCount, static_cast<int16_t*>(made));
  else
    widenFourBits(blocks, blockCount, scale_.data() + panel * tileColumns, static_cast<float*>(made));
}

// The same of bfloat16 or bytes.
void TileMatrix::widen(const char* stored, size_t panel, int count, void* made) const {
  const size_t values = static_cast<size_t>(count) * groupSize(kind_) * tileColumns;
  if (stored_ == ProductKind::bfloat16)
    fromBfloat16(reinterpret_cast<const uint16_t*>(stored), static_cast<float*>(made), values);
  else if (kind_ == ProductKind::words)
    bytesToWords(reinterpret_cast<const int8_t*>(stored), values, static_cast<int16_t*>(made));
  else
    widenBytes(reinterpret_cast<const int8_t*>(stored), scale_.data() + panel * tileColumns, count,
               static_cast<float*>(made));
}

TileMatrix::Operand TileMatrix::room(int rows) const {
  thread_local AlignedBytes buffer;
  thread_local std::vector<QuantizedRow> quantized;
  const size_t stride = paddedStride(groups_);
  quantized.resize(std::max<size_t>(quantized.size(), rows));
  return {static_cast<char*>(buffer.grown(stride * rowsWithPadding(kind_, rows))), stride,
          ofWholeNumbers(kind_) ? quantized.data() : nullptr, rows};
}

// The part of the first panel's weights that belongs to one of few rows: while they are prepared, the weights that the
// calling thread begins with come to its cache.
void TileMatrix::fetchFirst(int row, int rows) const {
  constexpr size_t line = 64;
  const size_t size = storedBytes(groups_);
  if (rows > tileRows(kind_)) return;
  for (size_t at = size * row / rows / line * line; at < size * (row + 1) / rows; at += line)
    __builtin_prefetch(panels_.front().weights + at, 0, 2);
}

TileMatrix::Operand TileMatrix::prepare(const MatrixInput& input) const {
  const Operand operand = room(input.rows);
  parallelFor(input.rows, std::max(1, grainValues / inputs_), [&](int begin, int end) {
    thread_local std::vector<float> normalized;
    normalized.resize(std::max<size_t>(normalized.size(), inputs_));
    for (int r = begin; r < end; r++) {
      const float* x = input.x + r * input.stride;
      fetchFirst(r, input.rows);
      if (input.normWeight) {
        layerNormRows(x, input.normWeight, input.normBias, normalized.data(), 1, inputs_);
        x = normalized.data();
      }
      operandRow(kind_, x, inputs_, groups_, operand.row(r), operand.scaleOf(r));
    }
  });
  return operand;
}

// What was found packed lies in one piece for each part, a few at most.
void TileMatrix::willMultiply() const {
  const char *first = panels_.front().weights, *last = panels_.back().weights + storedBytes(groups_);
  if (first < last) willRead(first, last - first);
}

void TileMatrix::multiply(const MatrixInput& input, const MatrixOutput& output) const {
  willMultiply();
  for (int first = 0; first < input.rows && !givenUp(); first += blockRows) {
    Output target{output};
    target.y += first * output.stride;
    if (output.residual) target.residual += first * output.stride;
    multiplyBlock(prepare(input.block(first, blockRows)), target);
  }
}

void TileMatrix::feedForward(const CpuMatrix& second, const MatrixInput& input, float* y, float scale) const {
  const auto& down = dynamic_cast<const TileMatrix&>(second);
  // The first product writes the operand of the second one. The scale of a row of bytes is known only when all of it
  // is: they are written in a wider type first, of which the narrower one halves what goes through the cache.
  const bool bytes = ofWholeNumbers(kind_);
  const bool narrow = kind_ == ProductKind::bfloat16 || (bytes && hasTileKernel(ProductKind::bfloat16));
  const ProductKind kind = narrow ? ProductKind::bfloat16 : ProductKind::float32;
  const int groups = paddedGroups(kind, down.inputs_);
  const size_t stride = paddedStride(groups), values = static_cast<size_t>(down.inputs_) * 4 / groupSize(kind);
  thread_local AlignedBytes memory;
  willMultiply();
  for (int first = 0; first < input.rows && !givenUp(); first += blockRows) {
    const MatrixInput block = input.block(first, blockRows);
    const Operand between{static_cast<char*>(memory.grown(stride * rowsWithPadding(kind, block.rows))), stride, nullptr,
                          block.rows};
    for (int r = 0; r < block.rows; r++)
      std::memset(between.row(r) + values, 0, static_cast<size_t>(groups) * 4 - values);
    auto* floats = reinterpret_cast<float*>(between.data);
    const size_t floatStride = stride / sizeof *floats;
    const Operand normalized = prepare(block);
    down.willMultiply();
    multiplyBlock(normalized, {{floats, floatStride, 0, Activation::silu}, narrow ? &between : nullptr});
    Operand hidden = between;
    if (bytes) hidden = narrow ? down.bytesOf(between) : down.prepare({floats, floatStride, block.rows});
    down.multiplyBlock(hidden, {{y + first * input.stride, input.stride, 0, Activation::none, scale, block.x}});
  }
}

TileMatrix::Operand TileMatrix::bytesOf(const Operand& narrow) const {
  const Operand operand = room(narrow.rows);
  parallelFor(narrow.rows, std::max(1, grainValues / inputs_), [&](int begin, int end) {
    for (int r = begin; r < end; r++) {
      fetchFirst(r, narrow.rows);
      const auto* values = reinterpret_cast<const uint16_t*>(narrow.row(r));
      bytesOfNarrowRow(values, inputs_, groups_, operand.row(r), operand.scaleOf(r));
    }
  });
  return operand;
}

void TileMatrix::multiplyBlock(const Operand& operand, const Output& output) const {
  const int parts = static_cast<int>((operand.rows * operand.stride + operandBytes - 1) / operandBytes);
  for (int part = 0; part < parts; part++)
    multiplyRows(operand, output, operand.rows * part / parts, operand.rows * (part + 1) / parts);
}

void TileMatrix::multiplyRows(const Operand& operand, const Output& output, int from, int to) const {
  const int rows = to - from;
  const auto panels = static_cast<int>(panels_.size());
  // With few panels for the threads, the rows are split too.
  const int wanted = (4 * poolThreads() + panels - 1) / panels;
  const int splits = std::clamp(wanted, 1, tilesOf(kind_, rows));
  const double work = static_cast<double>(rows) * inputs_ * tileColumns / splits;
  parallelFor(panels * splits, static_cast<int>(std::ceil(grainWork / work)), [&](int begin, int end) {
    const TileScope scope(kind_);
    for (int i = begin; i < end && !givenUp(); i++) {
      const int split = i / panels;
      const auto edge = [&](int n) { return from + static_cast<int>(static_cast<int64_t>(rows) * n / splits); };
      multiplyPanel(operand, output, i % panels, edge(split), edge(split + 1));
    }
  });
}

void TileMatrix::multiplyPanel(const Operand& operand, const Output& output, size_t index, int first, int last) const {
  const Panel& panel = panels_[index];
  TileEnd end;
  end.columns = panel.columns;
  end.gate = tileColumns / 2;
  end.ldAccumulator = tileColumns;
  end.bias = bias_.data() + index * tileColumns;
  if (ofWholeNumbers(kind_)) {
    end.columnScale = scale_.data() + index * tileColumns;
    end.columnSum = sum_.data() + index * tileColumns;
  }
  prefetchColumns(end.bias);
  prefetchColumns(end.columnScale);
  prefetchColumns(end.columnSum);
  if (index + 1 < panels_.size()) __builtin_prefetch(&panels_[index + 1]);
  end.activation = output.activation;
  end.ldOutput = output.stride;
  end.scale = output.scale;
  // Of few tiles each widens the weights on its way; for more they are widened once.
  const bool narrow = kind_ == ProductKind::words && !fourBits_ && tilesOf(kind_, last - first) <= narrowTiles;
  const PanelProduct product{.kind = kind_,
                             .activations = operand.row(first),
                             .stride = operand.stride,
                             .rows = last - first,
                             .groups = groups_,
                             .narrow = narrow,
                             .fourBits = fourBits_ && fourBitTileRows(kind_) > 0};
  const auto weights = [&](int group, int count) {
    return narrow ? storedOf(index, group, count) : weightsOf(index, group, count);
  };
  ops::multiplyPanel(product, weights, [&](int offset, int rows, const float* sums) {
    const int row = first + offset;
    end.rows = rows;
    end.quantized = operand.scaleOf(row);
    if (output.narrow) {
      auto* values = reinterpret_cast<uint16_t*>(output.narrow->row(row)) + panel.first;
      return siluProduct(sums, end, values, output.narrow->stride / sizeof *values);
    }
    const size_t corner = panel.part * output.partStride + row * output.stride + panel.first;
    end.output = output.y + corner;
    end.residual = output.residual ? output.residual + corner : nullptr;
    finishProduct(sums, end);
  });
}

}  // namespace parakeet::ops

#endif
