// A matrix of weights where it is stored, in the type that it is stored in: large ones are packed for the machine row
// by row, without a copy of all of it in float32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "ops/four_bits.h"
#include "ops/packed_layout.h"

namespace parakeet::ops {

// i8: bytes, i4: groups of four_bits.h; each row with a scale.
enum class StoredType { f32, f16, bf16, i8, i4 };

constexpr bool hasScale(StoredType type) { return type == StoredType::i8 || type == StoredType::i4; }

// Bytes of `count` values; of i4 whole groups.
constexpr size_t storedBytes(StoredType type, size_t count) {
  switch (type) {
    case StoredType::f32:
      return 4 * count;
    case StoredType::i8:
      return count;
    case StoredType::i4:
      return count / fourBitValues * sizeof(FourBitGroup);
    default:
      return 2 * count;
  }
}

// Row-major, or packed for a machine: any other reads it all the same. Copies share what is stored.
class WeightRows {
 public:
  // [values.size() / columns, columns].
  WeightRows(std::vector<float> values, int columns);
  // `stored` stays valid as long as `owner` lives. `scale`: [rows] of i8 and i4, else empty.
  WeightRows(StoredType type, const unsigned char* stored, int rows, int columns, std::vector<float> scale,
             std::shared_ptr<const void> owner);
  // The same of a packed matrix, whose padding is not read. Not of i4.
  WeightRows(StoredType type, const unsigned char* stored, const PackedLayout& layout, int rows, int columns,
             std::vector<float> scale, std::shared_ptr<const void> owner);

  // The rows of `more`, which has as many columns, after these.
  void append(const WeightRows& more);

  int rows() const;
  int columns() const { return columns_; }
  // Any thread may ask.
  void copyRow(int row, float* to) const;
  // 1 where the type has none.
  float scaleOf(int row) const;
  // The bytes of a row that is stored so, valid until the thread's next call, and their scale; null for any other.
  const int8_t* bytesOf(int row, float& scale) const;
  // The same of a row in four bits.
  const FourBitGroup* fourBitsOf(int row, float& scale) const;
  std::vector<float> values() const;

  struct Part {
    StoredType type;
    const unsigned char* stored;
    int rows;
    std::vector<float> scale;
    std::shared_ptr<const void> owner;
    std::optional<PackedLayout> packed = std::nullopt;
  };
  const std::vector<Part>& parts() const { return parts_; }

 private:
  // The part that has the row, which becomes one of that part's.
  const Part& partOf(int& row) const;
  const unsigned char* rowOf(const Part& part, int row) const;

  std::vector<Part> parts_;
  int columns_;
};

}  // namespace parakeet::ops
