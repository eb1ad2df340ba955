#ifdef PARAKEET_CPU_KERNELS

#include "ops/separable_conv.h"

#include <algorithm>
#include <optional>

#include "ops/cpu/aligned.h"
#include "ops/cpu/convolution.h"
#include "ops/cpu/kernel.h"
#include "ops/cpu/matrix.h"
#include "ops/pool.h"
#include "ops/shape.h"

namespace parakeet::ops {
namespace {

// Values that the product finds in a core's cache.
constexpr int valuesAtOnce = 65536;
// Fewest rows that justify waking another thread.
constexpr int grainRows = 8;

// The stage lives as long as the kernel: its copy is there.
mx::array convolveSeparably(const SeparableConv& stage, const std::optional<Conv3x3>& first, const mx::array& x,
                            int top, int bottom) {
  const int height = x.shape(0), width = x.shape(1), outputs = stage.pointwise.cpuMatrix()->outputs();
  const int rows = convolvedHeight(first ? convolvedHeight(height, top, bottom) : height, top, bottom);
  const int before = stage.depthwise.cpuConvolution()->before;
  const int columns = convolvedWidth(first ? convolvedWidth(width, before) : width, before);
  const auto convolve = [=](const float* image, int begin, int end, float* output) {
    const Convolution3x3& depthwise = *stage.depthwise.cpuConvolution();
    if (first)
      convolveTwice(*first->cpuConvolution(), depthwise, image, output, height, width, top, bottom, begin, end);
    else
      depthwise.run(image, output, height, width, top, begin, end, Activation::none);
  };
  return cpuKernel("SeparableConv", {x}, {rows, columns, outputs},
                   [=](const std::vector<const float*>& inputs, float* output) {
                     const CpuMatrix& pointwise = *stage.pointwise.cpuMatrix();
                     const size_t channels = stage.depthwise.cpuConvolution()->channels;
                     const int most = std::max(1, valuesAtOnce / (columns * static_cast<int>(channels)));
                     parallelFor(rows, grainRows, [&](int begin, int end) {
                       thread_local AlignedBytes memory;
                       auto* convolved = static_cast<float*>(memory.grown(most * columns * channels * sizeof(float)));
                       for (int row = begin; row < end && !givenUp(); row += most) {
                         const int until = std::min(end, row + most);
                         convolve(inputs[0], row, until, convolved);
                         const size_t first = static_cast<size_t>(row) * columns, stride = outputs;
                         pointwise.multiply({convolved, channels, (until - row) * columns},
                                            {output + first * stride, stride, 0, Activation::relu});
                       }
                     });
                   });
}

}  // namespace

mx::array SeparableConv::operator()(const Conv3x3* first, const mx::array& x, int top, int bottom) const {
  const Convolution3x3& input = first ? *first->cpuConvolution() : *depthwise.cpuConvolution();
  mustHaveWidth("SeparableConv", x, input.depthwise ? input.channels : 1);
  return convolveSeparably(*this, first ? std::optional(*first) : std::nullopt, x, top, bottom);
}

}  // namespace parakeet::ops

#endif
