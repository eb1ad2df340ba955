// Weights in four bits: how close the levels come, and that what a product unpacks are the bytes of the file.
#include "ops/four_bits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "ops/cpu/tile_four_bits.h"
#include "test/cases.h"
#include "test/check.h"

namespace parakeet::test {
namespace {

using namespace ops;

constexpr int groups = 5, columns = groups * fourBitValues;

struct Row {
  std::vector<float> values;
  std::vector<FourBitGroup> groups = std::vector<FourBitGroup>(values.size() / fourBitValues);
  std::vector<int8_t> bytes = std::vector<int8_t>(values.size());
  float scale = quantizeFourBits(values.data(), static_cast<int>(values.size()), groups.data());

  explicit Row(std::vector<float> from) : values(std::move(from)) {
    bytesOfFourBits(groups.data(), static_cast<int>(values.size()), bytes.data());
  }
  // Root mean square, as a part of the values'.
  double error() const {
    double error = 0, all = 0;
    for (size_t i = 0; i < values.size(); i++) {
      error += std::pow(values[i] - scale * static_cast<float>(bytes[i]), 2);
      all += std::pow(values[i], 2);
    }
    return all > 0 ? std::sqrt(error / all) : std::sqrt(error);
  }
};

template <class Value>
Row rowOf(Value value) {
  std::vector<float> values(columns);
  for (int i = 0; i < columns; i++) values[i] = value(i);
  return Row(std::move(values));
}

void levels(std::mt19937& random) {
  std::normal_distribution<float> normal;
  for (int i = 0; i < 50; i++) CHECK(rowOf([&](int) { return normal(random); }).error() < 0.1);
  // A group much smaller than another one still has steps of its own.
  const Row uneven = rowOf([&](int c) { return normal(random) * (c < fourBitValues ? 0.15f : 1.0f); });
  CHECK(uneven.groups[0].ratio() < uneven.groups[1].ratio());
  // Values of one sign, or all alike.
  CHECK(rowOf([](int c) { return 1 + 0.5f * std::sin(static_cast<float>(c)); }).error() < 0.1);
  CHECK(rowOf([](int c) { return -1 - 0.5f * std::sin(static_cast<float>(c)); }).error() < 0.1);
  CHECK(rowOf([](int) { return -3.0f; }).error() < 0.05);
  CHECK(rowOf([](int) { return 0.0f; }).error() == 0);
  // Damaged weights harm nobody.
  for (const float strange : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    rowOf([&](int c) { return c == 3 ? strange : 1.0f; });
}

#ifdef PARAKEET_CPU_KERNELS

// Rows of any bytes, as a damaged file has them too; some columns of the panel are missing.
void packing(std::mt19937& random) {
  std::uniform_int_distribution<int> any(0, 255);
  std::vector<FourBitGroup> rows(static_cast<size_t>(tileColumns) * groups);
  for (FourBitGroup& group : rows) {
    group.grid = static_cast<uint8_t>(any(random));
    for (uint8_t& code : group.codes) code = static_cast<uint8_t>(any(random));
  }
  const FourBitGroup* panel[tileColumns] = {};
  std::vector<int8_t> bytes(static_cast<size_t>(tileColumns) * columns);
  for (int c = 0; c < tileColumns; c++) {
    if (c % 5 == 3) continue;
    panel[c] = rows.data() + static_cast<ptrdiff_t>(c) * groups;
    bytesOfFourBits(panel[c], columns, bytes.data() + static_cast<ptrdiff_t>(c) * columns);
  }
  std::vector<uint8_t> blocks(groups * fourBitBlock);
  packFourBits(panel, groups, ProductKind::bytes, blocks.data());
  std::vector<int8_t> unpacked(bytes.size());
  unpackFourBits(blocks.data(), groups, unpacked.data());
  int wrong = 0;
  for (int c = 0; c < tileColumns; c++) {
    for (int k = 0; k < columns; k++)
      wrong += unpacked[(k / 4 * tileColumns + c) * 4 + k % 4] != bytes[c * columns + k];
  }
  CHECK(wrong == 0);
  // Only a damaged group leaves the range of bytes, which words and floats do not.
  const auto differs = [&](int value, int c, int k) { return static_cast<int8_t>(value) != bytes[c * columns + k]; };
  packFourBits(panel, groups, ProductKind::words, blocks.data());
  std::vector<int16_t> words(bytes.size());
  fourBitsToWords(blocks.data(), groups, words.data());
  for (int c = 0; c < tileColumns; c++) {
    for (int k = 0; k < columns; k++) wrong += differs(words[(k / 2 * tileColumns + c) * 2 + k % 2], c, k);
  }
  CHECK(wrong == 0);
  packFourBits(panel, groups, ProductKind::float32, blocks.data());
  std::vector<float> scale(tileColumns), wide(bytes.size());
  for (int c = 0; c < tileColumns; c++) scale[c] = static_cast<float>(1 + c);
  widenFourBits(blocks.data(), groups, scale.data(), wide.data());
  for (int c = 0; c < tileColumns; c++) {
    for (int k = 0; k < columns; k++) wrong += differs(static_cast<int>(wide[k * tileColumns + c] / scale[c]), c, k);
  }
  CHECK(wrong == 0);
}

#else

void packing(std::mt19937&) {}

#endif

}  // namespace

void fourBits(std::mt19937& random) {
  levels(random);
  packing(random);
}

}  // namespace parakeet::test
