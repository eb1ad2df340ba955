#include "ops/depthwise_conv.h"

#include <utility>

#include "ops/activate.h"
#include "ops/cpu/depthwise.h"
#include "ops/shape.h"

namespace parakeet::ops {

class DepthwiseConv1d::Impl {
 public:
  Impl(const std::vector<float>& weight, std::vector<float> bias, int channels, int kernel)
      : taps_(weight.size()), bias_(std::move(bias)), channels_(channels), kernel_(kernel) {
    for (int c = 0; c < channels; c++) {
      for (int k = 0; k < kernel; k++)
        taps_[static_cast<size_t>(k) * channels + c] = weight[static_cast<size_t>(c) * kernel + k];
    }
  }

  mx::array apply(const mx::array& x, const std::vector<Item>& items) const {
    mustHaveWidth("DepthwiseConv1d", x, channels_);
    const mx::array zeros = mx::zeros({(kernel_ - 1) / 2, channels_});
    std::vector<mx::array> outputs;
    for (const auto& [rows, past] : items) {
      const mx::array own = mx::slice(x, {rows.first, 0}, {rows.end(), channels_});
      outputs.push_back(shifted(mx::concatenate({past.value_or(zeros), own, zeros}, 0), rows.count));
    }
    return outputs.size() == 1 ? outputs[0] : mx::concatenate(outputs, 0);
  }

  DepthwiseTaps taps() const { return {taps_.data(), bias_.data(), channels_, kernel_}; }

 private:
  // Shifted products: MLX's grouped convolution is slower than these on every device we could measure.
  mx::array shifted(const mx::array& padded, int frames) const {
    mx::array sum = mx::broadcast_to(fromVector(bias_, {1, channels_}), {frames, channels_});
    const mx::array taps = fromVector(taps_, {kernel_, channels_});
    for (int k = 0; k < kernel_; k++) {
      sum = sum + mx::slice(padded, {k, 0}, {k + frames, channels_}) * mx::slice(taps, {k, 0}, {k + 1, channels_});
    }
    return activate(sum, Activation::silu);
  }

  std::vector<float> taps_;  // [kernel, channels]
  std::vector<float> bias_;
  int channels_, kernel_;
};

DepthwiseConv1d::DepthwiseConv1d(std::vector<float> weight, std::vector<float> bias, int channels, int kernel)
    : impl_(std::make_shared<const Impl>(weight, std::move(bias), channels, kernel)) {}

mx::array DepthwiseConv1d::operator()(const mx::array& x, const std::vector<Item>& items) const {
  return impl_->apply(x, items);
}

int DepthwiseConv1d::reach() const { return (impl_->taps().kernel - 1) / 2; }
DepthwiseTaps DepthwiseConv1d::taps() const { return impl_->taps(); }

}  // namespace parakeet::ops
