#include "ops/weight_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "ops/pool.h"

namespace parakeet::ops {
namespace {

// Fewer values than this do not justify waking another thread.
constexpr int grainValues = 1 << 16;

float fromHalf(uint16_t half) {
  const uint32_t sign = uint32_t(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 0x1f;
  const uint32_t fraction = half & 0x3ff;
  if (exponent == 0) {  // zero or subnormal: fraction × 2^-24
    const float value = std::ldexp(static_cast<float>(fraction), -24);
    return sign ? -value : value;
  }
  const uint32_t bits =
      exponent == 31 ? sign | 0x7f800000 | (fraction << 13) : sign | ((exponent + 112) << 23) | (fraction << 13);
  return std::bit_cast<float>(bits);
}

// values[i] = the i-th of `count` stored values; without their scale.
void widen(StoredType type, const unsigned char* stored, float* values, size_t count) {
  // A tensor begins anywhere in its file.
  const auto all = [&]<class Stored>(Stored raw, auto widened) {
    for (size_t i = 0; i < count; i++) {
      std::memcpy(&raw, stored + i * sizeof raw, sizeof raw);
      values[i] = widened(raw);
    }
  };
  switch (type) {
    case StoredType::f32:
      std::memcpy(values, stored, count * sizeof *values);
      break;
    case StoredType::f16:
      all(uint16_t{}, fromHalf);
      break;
    case StoredType::bf16:
      all(uint16_t{}, [](uint16_t raw) { return std::bit_cast<float>(uint32_t(raw) << 16); });
      break;
    case StoredType::i8:
      all(int8_t{}, [](int8_t raw) { return static_cast<float>(raw); });
      break;
    case StoredType::i4: {
      thread_local std::vector<int8_t> bytes;
      bytes.resize(std::max(bytes.size(), count));
      bytesOfFourBits(reinterpret_cast<const FourBitGroup*>(stored), static_cast<int>(count), bytes.data());
      std::copy_n(bytes.data(), count, values);
      break;
    }
  }
}

}  // namespace

WeightRows::WeightRows(std::vector<float> values, int columns) : columns_(columns) {
  const int rows = columns > 0 ? static_cast<int>(values.size() / columns) : 0;
  const auto owner = std::make_shared<const std::vector<float>>(std::move(values));
  parts_.push_back({StoredType::f32, reinterpret_cast<const unsigned char*>(owner->data()), rows, {}, owner});
}

WeightRows::WeightRows(StoredType type, const unsigned char* stored, int rows, int columns, std::vector<float> scale,
                       std::shared_ptr<const void> owner)
    : parts_{{type, stored, rows, std::move(scale), std::move(owner)}}, columns_(columns) {}

WeightRows::WeightRows(StoredType type, const unsigned char* stored, const PackedLayout& layout, int rows, int columns,
                       std::vector<float> scale, std::shared_ptr<const void> owner)
    : parts_{{type, stored, rows, std::move(scale), std::move(owner), layout}}, columns_(columns) {}

void WeightRows::append(const WeightRows& more) {
  if (more.columns_ != columns_) throw std::logic_error("Rows of another width cannot follow");
  parts_.insert(parts_.end(), more.parts_.begin(), more.parts_.end());
}

int WeightRows::rows() const {
  int rows = 0;
  for (const Part& part : parts_) rows += part.rows;
  return rows;
}

const WeightRows::Part& WeightRows::partOf(int& row) const {
  for (const Part& part : parts_) {
    if (row < part.rows) return part;
    row -= part.rows;
  }
  throw std::logic_error("No such row of weights");
}

// A row as it would be stored; of a packed matrix the thread's copy, until its next call.
const unsigned char* WeightRows::rowOf(const Part& part, int row) const {
  if (!part.packed) return part.stored + row * storedBytes(part.type, columns_);
  const PackedLayout& layout = *part.packed;
  const size_t together = storedBytes(part.type, layout.values),
               groupBytes = storedBytes(part.type, layout.groupSize());
  const int width = part.rows / layout.halves, half = row / width, column = row % width;
  const unsigned char* from = part.stored + column / layout.columns * storedBytes(part.type, layout.panelSize()) +
                              (half * layout.columns + column % layout.columns) * together;
  thread_local std::vector<unsigned char> gathered;
  gathered.resize(std::max(gathered.size(), layout.groups * together));
  for (int group = 0; group < layout.groups; group++)
    std::memcpy(gathered.data() + group * together, from + group * groupBytes, together);
  return gathered.data();
}

void WeightRows::copyRow(int row, float* to) const {
  const Part& part = partOf(row);
  widen(part.type, rowOf(part, row), to, columns_);
  if (!hasScale(part.type)) return;
  for (int c = 0; c < columns_; c++) to[c] *= part.scale[row];
}

float WeightRows::scaleOf(int row) const {
  const Part& part = partOf(row);
  return hasScale(part.type) ? part.scale[row] : 1;
}

const int8_t* WeightRows::bytesOf(int row, float& scale) const {
  const Part& part = partOf(row);
  if (part.type != StoredType::i8) return nullptr;
  scale = part.scale[row];
  return reinterpret_cast<const int8_t*>(rowOf(part, row));
}

const FourBitGroup* WeightRows::fourBitsOf(int row, float& scale) const {
  const Part& part = partOf(row);
  if (part.type != StoredType::i4) return nullptr;
  scale = part.scale[row];
  return reinterpret_cast<const FourBitGroup*>(part.stored) + static_cast<size_t>(row) * (columns_ / fourBitValues);
}

std::vector<float> WeightRows::values() const {
  std::vector<float> values(static_cast<size_t>(rows()) * columns_);
  parallelFor(rows(), std::max(1, grainValues / std::max(1, columns_)), [&](int begin, int end) {
    for (int row = begin; row < end; row++) copyRow(row, values.data() + static_cast<size_t>(row) * columns_);
  });
  return values;
}

}  // namespace parakeet::ops
