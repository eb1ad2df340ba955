#ifdef PARAKEET_CPU_KERNELS

#include "ops/conv3x3.h"

#include <utility>

#include "ops/cpu/convolution.h"
#include "ops/cpu/kernel.h"
#include "ops/pool.h"
#include "ops/shape.h"

namespace parakeet::ops {

class Conv3x3::Impl {
 public:
  Impl(const std::vector<float>& weight, std::vector<float> bias, int channels, int inputs, int before)
      : inputs_(inputs) {
    std::vector<float> taps(weight.size());
    for (int c = 0; c < channels; c++) {
      for (int k = 0; k < 9; k++) taps[static_cast<size_t>(k) * channels + c] = weight[static_cast<size_t>(c) * 9 + k];
    }
    kernel_ = std::make_shared<const Convolution3x3>(
        Convolution3x3{std::move(taps), std::move(bias), channels, inputs == channels, before});
  }

  mx::array apply(const mx::array& x, int top, int bottom, Activation activation) const {
    mustHaveWidth("Conv3x3", x, inputs_);
    const int height = x.shape(0), width = x.shape(1), rows = convolvedHeight(height, top, bottom);
    const int columns = convolvedWidth(width, kernel_->before);
    return cpuKernel("Conv3x3", {x}, {rows, columns, kernel_->channels},
                     [=, kernel = kernel_](const std::vector<const float*>& inputs, float* output) {
                       parallelFor(rows, 4, [&](int begin, int end) {
                         const ptrdiff_t first = static_cast<ptrdiff_t>(begin) * columns;
                         kernel->run(inputs[0], output + first * kernel->channels, height, width, top, begin, end,
                                     activation);
                       });
                     });
  }

  const Convolution3x3* kernel() const { return kernel_.get(); }

 private:
  int inputs_;
  std::shared_ptr<const Convolution3x3> kernel_;
};

Conv3x3::Conv3x3(const std::vector<float>& weight, std::vector<float> bias, int channels, int inputs, int before)
    : impl_(std::make_shared<const Impl>(weight, std::move(bias), channels, inputs, before)) {}

mx::array Conv3x3::operator()(const mx::array& x, int top, int bottom, Activation activation) const {
  return impl_->apply(x, top, bottom, activation);
}

const Convolution3x3* Conv3x3::cpuConvolution() const { return impl_->kernel(); }

}  // namespace parakeet::ops

#endif
