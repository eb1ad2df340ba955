#ifdef PARAKEET_CPU_KERNELS

#include "ops/cpu/tile_four_bits.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "ops/cpu/tile_operand.h"
#include "ops/cpu/tile_rows_x86.h"
#include "ops/cpu/vector.h"

namespace parakeet::ops {
namespace {

constexpr int half = tileColumns / 2;

// Four codes in two bytes, as a byte each.
constexpr uint32_t spread(uint32_t codes) {
  codes = (codes | codes << 8) & 0x00ff00ff;
  return (codes | codes << 4) & 0x0f0f0f0f;
}

uint32_t fourOf(const FourBitGroup* group, int which) {
  return group ? spread(group->codes[2 * which] | group->codes[2 * which + 1] << 8) : 0;
}

// `together`: bytes of a column that lie together.
template <int together>
PARAKEET_INLINE void unpackBlock(const uint8_t* block, int8_t* bytes) {
  constexpr int width = half * together;
  uint8_t ratios[2 * width], zeros[2 * width];
  for (int c = 0; c < tileColumns; c++) {
    for (int i = 0; i < together; i++) {
      ratios[c * together + i] = block[c];
      zeros[c * together + i] = block[tileColumns + c];
    }
  }
  const uint8_t* codes = block + 2 * tileColumns;
  for (int row = 0; row < fourBitValues / together; row++, codes += width, bytes += 2 * width) {
    for (int i = 0; i < width; i++) {
      bytes[i] = static_cast<int8_t>((codes[i] & 15) * ratios[i] - zeros[i]);
      bytes[width + i] = static_cast<int8_t>((codes[i] >> 4) * ratios[width + i] - zeros[width + i]);
    }
  }
}

}  // namespace

void packFourBits(const FourBitGroup* const* columns, int count, ProductKind kind, uint8_t* blocks) {
  const int together = groupSize(kind);
  for (int b = 0; b < count; b++, blocks += fourBitBlock) {
    for (int c = 0; c < tileColumns; c++) {
      blocks[c] = static_cast<uint8_t>(columns[c] ? columns[c][b].ratio() : 0);
      blocks[tileColumns + c] = static_cast<uint8_t>(columns[c] ? columns[c][b].zero() : 0);
    }
    uint8_t* codes = blocks + 2 * tileColumns;
    for (int c = 0; c < half; c++) {
      const FourBitGroup *low = columns[c] ? columns[c] + b : nullptr,
                         *high = columns[half + c] ? columns[half + c] + b : nullptr;
      for (int four = 0; four < fourBitValues / 4; four++) {
        uint8_t both[4];
        const uint32_t word = fourOf(low, four) | fourOf(high, four) << 4;
        std::memcpy(both, &word, sizeof both);
        for (int i = 0; i < 4; i++) {
          const int value = 4 * four + i;
          codes[(value / together * half + c) * together + value % together] = both[i];
        }
      }
    }
  }
}

void unpackFourBits(const uint8_t* blocks, int count, int8_t* bytes) {
  PARAKEET_IN_AVX2(unpackFourBits(blocks, count, bytes));
  for (int b = 0; b < count; b++)
    unpackBlock<4>(blocks + b * fourBitBlock, bytes + static_cast<ptrdiff_t>(b) * fourBitValues * tileColumns);
}

void fourBitsToWords(const uint8_t* blocks, int count, int16_t* words) {
  PARAKEET_IN_AVX2(fourBitsToWords(blocks, count, words));
  int8_t bytes[fourBitValues * tileColumns];
  for (int b = 0; b < count; b++) {
    unpackBlock<2>(blocks + b * fourBitBlock, bytes);
    words = std::copy(std::begin(bytes), std::end(bytes), words);
  }
}

void widenFourBits(const uint8_t* blocks, int count, const float* scale, float* y) {
  PARAKEET_IN_AVX2(widenFourBits(blocks, count, scale, y));
  int8_t bytes[fourBitValues * tileColumns];
  for (int b = 0; b < count; b++) {
    unpackBlock<1>(blocks + b * fourBitBlock, bytes);
    widenBytes(bytes, scale, fourBitValues, y + static_cast<ptrdiff_t>(b) * fourBitValues * tileColumns);
  }
}

}  // namespace parakeet::ops

#endif
