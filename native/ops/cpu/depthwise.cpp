#ifdef PARAKEET_CPU_KERNELS

#include "ops/cpu/depthwise.h"

#include <algorithm>

#include "ops/cpu/aligned.h"
#include "ops/cpu/past_and_own.h"
#include "ops/cpu/pointwise.h"

namespace parakeet::ops {

void convolveRows(const DepthwiseTaps& taps, const std::vector<ConvolutionItem>& items, Rows rows, const float* x,
                  float* output) {
  const int before = taps.before, ahead = taps.kernel - 1 - before;
  const ptrdiff_t channels = taps.channels;
  thread_local AlignedBytes edge;  // rows of which some are not the item's own
  for (const ConvolutionItem& item : items) {
    const PastAndOwn all{item.past, x + item.rows.first * channels, before, item.rows.count,
                         static_cast<size_t>(channels)};
    // Rows [first, last) of the item's own.
    const auto convolve = [&](int first, int last) {
      if (first >= last) return;
      const float* source = all.own + (first - before) * channels;
      if (first < before || last + ahead > item.rows.count) {
        auto* copy = static_cast<float*>(edge.grown((last - first + before + ahead) * channels * sizeof(float)));
        all.copy(first - before, last + ahead, copy);
        source = copy;
      }
      float* to = output + (item.rows.first + first) * channels;
      if (!taps.normWeight) {
        depthwiseSilu(source, taps.weight, taps.bias, to, last - first, taps.channels, taps.kernel);
        return;
      }
      depthwise(source, taps.weight, taps.bias, to, last - first, taps.channels, taps.kernel);
      layerNormRows(to, taps.normWeight, taps.normBias, to, last - first, taps.channels);
      siluRows(to, last - first, taps.channels);
    };
    const int first = std::max(0, rows.first - item.rows.first),
              last = std::min(item.rows.count, rows.end() - item.rows.first);
    const int inner = std::max(first, std::min(before, last)),
              innerEnd = std::max(inner, std::min(last, item.rows.count - ahead));
    convolve(first, inner);
    convolve(inner, innerEnd);
    convolve(innerEnd, last);
  }
}

}  // namespace parakeet::ops

#endif
