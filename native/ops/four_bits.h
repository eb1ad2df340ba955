// Weights in four bits. The values of a row in groups of 16; each group has 16 evenly spaced levels of its own, which
// are bytes: once a group is unpacked, products are those of int8.
//
// Why groups of 16: with 32 the error of the bundled model's frames is a quarter larger, for 4 % less of all its
// weights' memory.
#pragma once

#include <cstdint>

namespace parakeet::ops {

// Values of a group.
constexpr int fourBitValues = 16;

// As it lies in a file. byte = code · ratio − zero, value = byte · the row's scale.
struct FourBitGroup {
  uint8_t grid;      // the ratio, and above it the zero in half steps, less 7
  uint8_t codes[8];  // two values each, the first one below

  constexpr int ratio() const { return grid & 15; }
  constexpr int zero() const { return ((grid >> 4) + 7) * ratio() >> 1; }
  constexpr int code(int value) const { return codes[value / 2] >> 4 * (value % 2) & 15; }
};
static_assert(sizeof(FourBitGroup) == 9);

// Rows of other lengths stay in bytes.
constexpr bool fitsFourBits(int columns) { return columns % fourBitValues == 0; }

// Writes the groups of a row of `columns` values; returns its scale. Each group gets the grid with the smallest sum of
// squared errors.
float quantizeFourBits(const float* row, int columns, FourBitGroup* groups);

// The bytes of a row.
void bytesOfFourBits(const FourBitGroup* groups, int columns, int8_t* bytes);

}  // namespace parakeet::ops
