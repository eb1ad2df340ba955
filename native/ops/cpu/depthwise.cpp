#ifdef PARAKEET_ONEDNN

#include "ops/cpu/depthwise.h"

#include <algorithm>

#include "ops/cpu/pointwise.h"
#include "ops/cpu/pool.h"

namespace parakeet::ops {
namespace {

// Rows computed at once: few enough to be shared among threads, many enough that their edges are cheap.
constexpr int leastRows = 16, mostRows = 64;
// Values that are not worth waking another thread for.
constexpr int grainValues = 16384;

struct Block {
  int item, first, count;  // rows within the item
};

}  // namespace

void convolveRows(const DepthwiseTaps& taps, const std::vector<ConvolutionItem>& items, const float* x, float* output) {
  const int pad = (taps.kernel - 1) / 2;
  const size_t channels = taps.channels;
  const int rows = items.back().rows.end();
  const int blockRows = std::clamp(rows / (4 * poolThreads()), leastRows, mostRows);
  std::vector<Block> blocks;
  for (int i = 0; i < static_cast<int>(items.size()); i++) {
    for (int first = 0; first < items[i].rows.count; first += blockRows)
      blocks.push_back({i, first, std::min(blockRows, items[i].rows.count - first)});
  }
  const int grain = std::max(1, grainValues / (blockRows * taps.channels));
  parallelFor(static_cast<int>(blocks.size()), grain, [&](int begin, int end) {
    thread_local std::vector<float> padded;
    for (int b = begin; b < end; b++) {
      const Block& block = blocks[b];
      const ConvolutionItem& item = items[block.item];
      const float* own = x + item.rows.first * channels;
      padded.resize((block.count + 2 * pad) * channels);
      float* at = padded.data();
      for (int row = block.first - pad; row < block.first + block.count + pad; row++, at += channels) {
        const float* source = row >= item.rows.count ? nullptr
                              : row >= 0             ? own + row * channels
                              : item.past            ? item.past + (row + pad) * channels
                                                     : nullptr;
        if (source)
          std::copy_n(source, channels, at);
        else
          std::fill_n(at, channels, 0.0f);
      }
      depthwiseSilu(padded.data(), taps.weight, taps.bias, output + (item.rows.first + block.first) * channels,
                    block.count, taps.channels, taps.kernel);
    }
  });
}

}  // namespace parakeet::ops

#endif
