#ifdef PARAKEET_CPU_KERNELS

#include "ops/cpu/tile_four_bits.h"

#include <cstring>

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
PARAKEET_INLINE void unpack(const uint8_t* blocks, int count, int8_t* bytes) {
  constexpr int width = half * together;
  for (int b = 0; b < count; b++, blocks += fourBitBlock) {
    uint8_t ratios[2 * width], zeros[2 * width];
    for (int c = 0; c < tileColumns; c++) {
      for (int i = 0; i < together; i++) {
        ratios[c * together + i] = blocks[c];
        zeros[c * together + i] = blocks[tileColumns + c];
      }
    }
    const uint8_t* codes = blocks + 2 * tileColumns;
    for (int row = 0; row < fourBitValues / together; row++, codes += width, bytes += 2 * width) {
      for (int i = 0; i < width; i++) {
        bytes[i] = static_cast<int8_t>((codes[i] & 15) * ratios[i] - zeros[i]);
        bytes[width + i] = static_cast<int8_t>((codes[i] >> 4) * ratios[width + i] - zeros[width + i]);
      }
    }
  }
}

template <class V>
PARAKEET_INLINE void unpackGroupsBody(const uint8_t* blocks, int count, int8_t* bytes) {
  unpack<4>(blocks, count, bytes);
}
PARAKEET_VERSIONS(unpackGroups, (const uint8_t* blocks, int count, int8_t* bytes), (blocks, count, bytes))

template <class V>
PARAKEET_INLINE void unpackValuesBody(const uint8_t* blocks, int count, int8_t* bytes) {
  unpack<1>(blocks, count, bytes);
}
PARAKEET_VERSIONS(unpackValues, (const uint8_t* blocks, int count, int8_t* bytes), (blocks, count, bytes))

}  // namespace

void packFourBits(const FourBitGroup* const* columns, int count, bool inGroups, uint8_t* blocks) {
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
        if (inGroups) {
          std::memcpy(codes + 4 * (four * half + c), both, sizeof both);
        } else {
          for (int i = 0; i < 4; i++) codes[(4 * four + i) * half + c] = both[i];
        }
      }
    }
  }
}

void unpackFourBits(const uint8_t* blocks, int count, bool inGroups, int8_t* bytes) {
  inGroups ? unpackGroups(blocks, count, bytes) : unpackValues(blocks, count, bytes);
}

}  // namespace parakeet::ops

#endif
