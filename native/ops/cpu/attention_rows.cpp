#ifdef PARAKEET_CPU_KERNELS

#include "ops/cpu/attention_rows.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "ops/cpu/pointwise.h"
#include "ops/cpu/tile_kernel.h"
#include "ops/cpu/tile_operand.h"
#include "ops/cpu/tile_rows_x86.h"

namespace parakeet::ops {
namespace {

// A buffer of the calling thread that only grows.
template <class T>
T* scratch(size_t count) {
  thread_local std::vector<T> buffer;
  buffer.resize(std::max(buffer.size(), count));
  return buffer.data();
}

}  // namespace

void packColumns(ProductKind kind, const float* const* rows, int size, int groups, void* packed) {
  PARAKEET_IN_AVX512(packColumns(kind, rows, size, groups, packed));
  if (kind == ProductKind::float32) {
    PARAKEET_IN_AVX2(packColumns(rows, size, groups, static_cast<float*>(packed)));
  }
  auto* row = scratch<uint32_t>(groups);
  for (int c = 0; c < tileColumns; c++) {
    auto* words = static_cast<uint32_t*>(packed) + c;
    if (rows[c])
      operandRow(kind, rows[c], size, groups, row, nullptr);
    else
      std::fill_n(row, groups, 0);
    for (int g = 0; g < groups; g++) words[static_cast<ptrdiff_t>(g) * tileColumns] = row[g];
  }
}

void packInner(ProductKind kind, const float* const* rows, int count, int first, int size, int groups, void* packed) {
  PARAKEET_IN_AVX512(packInner(kind, rows, count, first, size, groups, packed));
  const int columns = std::min(tileColumns, size - first), values = groupSize(kind);
  auto* floats = static_cast<float*>(packed);
  auto* halves = static_cast<uint16_t*>(packed);
  const auto group = [](int index) { return static_cast<ptrdiff_t>(index) * tileColumns; };
  // Zeros where no row, or not all of one, is written.
  std::fill(floats + (columns < tileColumns ? 0 : group(count / values)), floats + group(groups), 0.0f);
  for (int index = 0; index < count; index++) {
    const float* row = rows[index] + first;
    if (kind == ProductKind::float32) {
      // A copy of a fixed size needs no call.
      if (columns == tileColumns)
        std::memcpy(floats + group(index), row, tileColumns * sizeof *row);
      else
        std::copy_n(row, columns, floats + group(index));
      continue;
    }
    uint16_t narrow[tileColumns];
    toBfloat16(row, narrow, columns);
    for (int c = 0; c < columns; c++) halves[(group(index / values) + c) * 2 + index % 2] = narrow[c];
  }
}

void biasedRow(ProductKind kind, const float* x, const float* bias, float scale, int size, int groups, void* y) {
  PARAKEET_IN_AVX512(biasedRow(kind, x, bias, scale, size, groups, y));
  auto* sums = kind == ProductKind::float32 ? static_cast<float*>(y) : scratch<float>(size);
  for (int c = 0; c < size; c++) sums[c] = (x[c] + bias[c]) * scale;
  if (kind == ProductKind::float32)
    std::fill(sums + size, sums + groups, 0.0f);
  else
    operandRow(kind, sums, size, groups, y, nullptr);
}

float softmaxRow(ProductKind kind, float* content, const float* distance, int begin, int end, int groups,
                 void* weights) {
  PARAKEET_IN_AVX512(softmaxRow(kind, content, distance, begin, end, groups, weights));
  softmaxRange(content, distance, end, begin, end);
  operandRow(kind, content, end, groups, weights, nullptr);
  return 1;
}

}  // namespace parakeet::ops

#endif
