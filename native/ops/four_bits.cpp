#include "ops/four_bits.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "ops/cpu/vector.h"

namespace parakeet::ops {
namespace {

constexpr int mostCode = 15, mostRatio = 15, mostZero = 15;

// A grid: the numbers of FourBitGroup, in units of the row's scale, and the codes whose levels are bytes.
struct Grid {
  float ratio, offset, least, most;
};
constexpr auto grids = [] {
  std::array<std::array<Grid, mostZero + 1>, mostRatio + 1> grids{};
  for (int ratio = 1; ratio <= mostRatio; ratio++) {
    for (int zero = 0; zero <= mostZero; zero++) {
      const int offset = FourBitGroup{static_cast<uint8_t>(ratio | zero << 4), {}}.zero();
      const int least = std::max(0, (offset - 128 + ratio - 1) / ratio),
                most = std::min(mostCode, (offset + 127) / ratio);
      grids[ratio][zero] = {static_cast<float>(ratio), static_cast<float>(offset), static_cast<float>(least),
                            static_cast<float>(most)};
    }
  }
  return grids;
}();

template <class V>
struct Group {
  static constexpr int parts = fourBitValues / V::lanes;
  typename V::Floats values[parts];

  // Nearest, halves to even.
  PARAKEET_INLINE typename V::Floats code(int part, const Grid& grid) const {
    const auto code = (values[part] + grid.offset) * (1.0f / grid.ratio) + V::rounding - V::rounding;
    return V::largest(V::smallest(code, V::broadcast(grid.most)), V::broadcast(grid.least));
  }

  PARAKEET_INLINE float error(const Grid& grid) const {
    typename V::Floats sum{};
    for (int i = 0; i < parts; i++) {
      const auto error = code(i, grid) * grid.ratio - grid.offset - values[i];
      sum += error * error;
    }
    return V::sum(sum);
  }
};

struct Range {
  float low, high;
};
Range rangeOf(const float* values) {
  Range range{values[0], values[0]};
  for (int i = 1; i < fourBitValues; i++) {
    range.low = std::min(range.low, values[i]);
    range.high = std::max(range.high, values[i]);
  }
  return range;
}

// The scale with which the largest ratio covers the widest group, and all values are bytes.
float scaleOf(const float* row, int columns) {
  float widest = 0, peak = 0;
  for (int at = 0; at < columns; at += fourBitValues) {
    const Range range = rangeOf(row + at);
    widest = std::max(widest, range.high - range.low);
    peak = std::max({peak, range.high, -range.low});
  }
  const float scale = std::max(widest / (mostCode * mostRatio), peak / 127.0f);
  return scale > 0 ? scale : 1.0f;
}

template <class V>
PARAKEET_INLINE FourBitGroup quantizeGroup(const Group<V>& group, Range range) {
  // Zeros lie between 3½ and 11: values of one sign need larger steps than their range does. Where a little is cut off
  // at the ends, steps are smaller.
  const float needed = std::max({(range.high - range.low) / mostCode, range.high / 11.5f, range.low / -11.0f});
  const int from = std::clamp(static_cast<int>(0.65f * needed), 1, mostRatio),
            to = std::clamp(static_cast<int>(1.15f * needed + 1), 1, mostRatio);
  int bestRatio = 1, bestZero = 8;
  float least = INFINITY;
  for (int ratio = from; ratio <= to; ratio++) {
    const float middle = (range.high + range.low) / static_cast<float>(ratio);
    const int centred = std::clamp(static_cast<int>(std::floor(mostCode - 7 - middle + 0.5f)), 0, mostZero);
    for (int zero = std::max(0, centred - 2); zero <= std::min(mostZero, centred + 2); zero++) {
      const float error = group.error(grids[ratio][zero]);
      if (error >= least) continue;
      least = error;
      bestRatio = ratio;
      bestZero = zero;
    }
  }
  FourBitGroup result{static_cast<uint8_t>(bestRatio | bestZero << 4), {}};
  float codes[fourBitValues];
  for (int i = 0; i < Group<V>::parts; i++) V::store(codes + i * V::lanes, group.code(i, grids[bestRatio][bestZero]));
  for (int i = 0; i < fourBitValues; i++)
    result.codes[i / 2] |= static_cast<uint8_t>(static_cast<int>(codes[i]) << 4 * (i % 2));
  return result;
}

template <class V>
PARAKEET_INLINE void quantizeBody(const float* row, int columns, float scale, FourBitGroup* groups) {
  for (int at = 0; at < columns; at += fourBitValues) {
    Group<V> group;
    for (int i = 0; i < Group<V>::parts; i++) group.values[i] = V::load(row + at + i * V::lanes) / scale;
    const Range range = rangeOf(row + at);
    groups[at / fourBitValues] = quantizeGroup<V>(group, {range.low / scale, range.high / scale});
  }
}
PARAKEET_VERSIONS(quantize, (const float* row, int columns, float scale, FourBitGroup* groups),
                  (row, columns, scale, groups))

}  // namespace

float quantizeFourBits(const float* row, int columns, FourBitGroup* groups) {
  const float scale = scaleOf(row, columns);
  quantize(row, columns, scale, groups);
  return scale;
}

void bytesOfFourBits(const FourBitGroup* groups, int columns, int8_t* bytes) {
  for (int at = 0; at < columns; at += fourBitValues, groups++) {
    const int ratio = groups->ratio(), zero = groups->zero();
    for (int i = 0; i < fourBitValues; i++) bytes[at + i] = static_cast<int8_t>(groups->code(i) * ratio - zero);
  }
}

}  // namespace parakeet::ops
