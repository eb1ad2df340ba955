#include "ops/ops.h"

#include <cmath>
#include <limits>

#include "ops/cpu/attention.h"
#include "ops/cpu/kernel.h"
#include "ops/cpu/onednn.h"
#include "ops/cpu/pointwise.h"
#include "ops/cpu/pool.h"

namespace parakeet::ops {
namespace {

#ifdef PARAKEET_ONEDNN
bool onCpu() { return mx::default_device() == mx::Device::cpu; }
#endif

mx::array activate(mx::array x, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return mx::maximum(x, mx::array(0.0f));
    case Activation::silu:
      return x * mx::sigmoid(x);
    case Activation::none:
      break;
  }
  return x;
}

}  // namespace

mx::array fromVector(const std::vector<float>& values, mx::Shape shape) {
  return mx::array(values.begin(), std::move(shape));
}

// ---- Linear

class Linear::Impl {
 public:
  Impl(std::vector<float> weight, std::vector<float> bias, int outputs, int inputs) {
#ifdef PARAKEET_ONEDNN
    if (onCpu()) {
      packed_ = std::make_shared<const PackedMatrix>(weight, std::move(bias), outputs, inputs);
      return;
    }
#endif
    weight_ = mx::transpose(fromVector(weight, {outputs, inputs}));
    if (!bias.empty()) bias_ = fromVector(bias, {outputs});
  }

  mx::array apply(const mx::array& x, Activation activation) const {
#ifdef PARAKEET_ONEDNN
    if (packed_) {
      const int rows = x.shape(0);
      return cpuKernel("Linear", {x}, {rows, packed_->outputs()},
                       [packed = packed_, rows, activation](const std::vector<const float*>& inputs, float* output) {
                         packed->multiply(inputs[0], output, rows, activation);
                       });
    }
#endif
    const mx::array product = bias_ ? mx::addmm(*bias_, x, *weight_) : mx::matmul(x, *weight_);
    return activate(product, activation);
  }

 private:
#ifdef PARAKEET_ONEDNN
  std::shared_ptr<const PackedMatrix> packed_;
#endif
  std::optional<mx::array> weight_;
  std::optional<mx::array> bias_;
};

Linear::Linear(std::vector<float> weight, std::vector<float> bias, int outputs, int inputs)
    : impl_(std::make_shared<const Impl>(std::move(weight), std::move(bias), outputs, inputs)) {}

mx::array Linear::operator()(const mx::array& x, Activation activation) const { return impl_->apply(x, activation); }

// ---- Conv2d

class Conv2d::Impl {
 public:
  Impl(std::vector<float> weight, std::vector<float> bias, int outputs, int inputs, int kernel, int stride, int groups)
      : outputs_(outputs), kernel_(kernel), stride_(stride), groups_(groups) {
#ifdef PARAKEET_ONEDNN
    if (onCpu()) {
      packed_ =
          std::make_shared<const PackedConvolution>(weight, std::move(bias), outputs, inputs, kernel, stride, groups);
      return;
    }
#endif
    weight_ = fromVector(weight, {outputs, kernel, kernel, inputs / groups});
    bias_ = fromVector(bias, {outputs});
  }

  mx::array apply(const mx::array& x, int top, int bottom, Activation activation) const {
    const int side = kernel_ / 2;
#ifdef PARAKEET_ONEDNN
    if (packed_) {
      const int height = x.shape(0), width = x.shape(1);
      const mx::Shape shape{(height + top + bottom - kernel_) / stride_ + 1, (width + 2 * side - kernel_) / stride_ + 1,
                            outputs_};
      return cpuKernel("Conv2d", {x}, shape,
                       [=, packed = packed_](const std::vector<const float*>& inputs, float* output) {
                         packed->convolve(inputs[0], output, height, width, top, bottom, activation);
                       });
    }
#endif
    const mx::array padded = mx::pad(x, {{top, bottom}, {side, side}, {0, 0}});
    const mx::array product =
        mx::conv2d(mx::expand_dims(padded, 0), *weight_, {stride_, stride_}, {0, 0}, {1, 1}, groups_);
    return activate(mx::squeeze(product, 0) + *bias_, activation);
  }

 private:
  int outputs_, kernel_, stride_, groups_;
#ifdef PARAKEET_ONEDNN
  std::shared_ptr<const PackedConvolution> packed_;
#endif
  std::optional<mx::array> weight_;
  std::optional<mx::array> bias_;
};

Conv2d::Conv2d(std::vector<float> weight, std::vector<float> bias, int outputs, int inputs, int kernel, int stride,
               int groups)
    : impl_(std::make_shared<const Impl>(std::move(weight), std::move(bias), outputs, inputs, kernel, stride, groups)) {
}

mx::array Conv2d::operator()(const mx::array& x, int top, int bottom, Activation activation) const {
  return impl_->apply(x, top, bottom, activation);
}

// ---- DepthwiseConv1d

class DepthwiseConv1d::Impl {
 public:
  Impl(const std::vector<float>& weight, std::vector<float> bias, int channels, int kernel)
      : taps_(weight.size()), bias_(std::move(bias)), channels_(channels), kernel_(kernel) {
    for (int c = 0; c < channels; c++) {
      for (int k = 0; k < kernel; k++)
        taps_[static_cast<size_t>(k) * channels + c] = weight[static_cast<size_t>(c) * kernel + k];
    }
  }

  static mx::array apply(const std::shared_ptr<const Impl>& self, const mx::array& x) {
    const int frames = x.shape(0) - self->kernel_ + 1;
#ifdef PARAKEET_ONEDNN
    if (onCpu()) {
      return cpuKernel("DepthwiseConv1d", {x}, {frames, self->channels_},
                       [self, frames](const std::vector<const float*>& inputs, float* output) {
                         depthwiseSilu(inputs[0], self->taps_.data(), self->bias_.data(), output, frames,
                                       self->channels_, self->kernel_);
                       });
    }
#endif
    // Shifted products: MLX's grouped convolution is slower than these on every device we could measure.
    mx::array sum = mx::broadcast_to(fromVector(self->bias_, {1, self->channels_}), {frames, self->channels_});
    const mx::array taps = fromVector(self->taps_, {self->kernel_, self->channels_});
    for (int k = 0; k < self->kernel_; k++) {
      sum =
          sum + mx::slice(x, {k, 0}, {k + frames, self->channels_}) * mx::slice(taps, {k, 0}, {k + 1, self->channels_});
    }
    return activate(sum, Activation::silu);
  }

 private:
  std::vector<float> taps_;  // [kernel, channels]
  std::vector<float> bias_;
  int channels_, kernel_;
};

DepthwiseConv1d::DepthwiseConv1d(std::vector<float> weight, std::vector<float> bias, int channels, int kernel)
    : impl_(std::make_shared<const Impl>(weight, std::move(bias), channels, kernel)) {}

mx::array DepthwiseConv1d::operator()(const mx::array& x) const { return Impl::apply(impl_, x); }

// ---- the rest

mx::array layerNorm(const mx::array& x, const mx::array& weight, const mx::array& bias) {
#ifdef PARAKEET_ONEDNN
  if (onCpu()) {
    const int rows = x.shape(0), channels = x.shape(1);
    return cpuKernel("LayerNorm", {x, weight, bias}, x.shape(),
                     [=](const std::vector<const float*>& inputs, float* output) {
                       layerNormRows(inputs[0], inputs[1], inputs[2], output, rows, channels);
                     });
  }
#endif
  return mx::fast::layer_norm(x, weight, bias, 1e-5f);
}

mx::array glu(const mx::array& x) {
  const int rows = x.shape(0), channels = x.shape(1) / 2;
#ifdef PARAKEET_ONEDNN
  if (onCpu()) {
    return cpuKernel("Glu", {x}, {rows, channels}, [=](const std::vector<const float*>& inputs, float* output) {
      gluRows(inputs[0], output, rows, channels);
    });
  }
#endif
  return mx::slice(x, {0, 0}, {rows, channels}) * mx::sigmoid(mx::slice(x, {0, channels}, {rows, 2 * channels}));
}

mx::array relativeAttention(const mx::array& query, const mx::array& key, const mx::array& value,
                            const mx::array& position, const mx::array& u, const mx::array& v, int heads,
                            const Band& band) {
  const int queries = query.shape(0), keys = key.shape(0), width = query.shape(1), size = width / heads;
#ifdef PARAKEET_ONEDNN
  if (onCpu()) {
    const AttentionShape shape{queries, keys, width, heads, band};
    return cpuKernel(
        "RelativeAttention", {query, key, value, position, u, v}, {queries, width},
        [shape](const std::vector<const float*>& inputs, float* output) { attend(inputs, output, shape); });
  }
#endif
  const auto split = [&](const mx::array& x) { return mx::transpose(mx::reshape(x, {-1, heads, size}), {1, 0, 2}); };
  const float scale = 1.0f / std::sqrt(static_cast<float>(size));
  const mx::array distance = mx::matmul(split(query + v), mx::swapaxes(split(position), 1, 2));
  // The shift of Transformer-XL as a view: element (i, j) is distance[i, queries − 1 − i + j].
  const int row = queries + keys - 1;
  const mx::array shifted =
      mx::as_strided(mx::contiguous(distance), {heads, queries, keys},
                     {static_cast<int64_t>(queries) * row, row - 1, 1}, static_cast<size_t>(queries - 1));
  mx::array scores = (mx::matmul(split(query + u), mx::swapaxes(split(key), 1, 2)) + shifted) * mx::array(scale);
  if (band.left >= 0 || band.right >= 0) {
    const mx::array distances = mx::expand_dims(mx::arange(band.firstQuery, band.firstQuery + queries, mx::int32), 1) -
                                mx::expand_dims(mx::arange(0, keys, mx::int32), 0);
    mx::array allowed = mx::full({queries, keys}, true, mx::bool_);
    if (band.left >= 0) allowed = mx::logical_and(allowed, mx::less_equal(distances, mx::array(band.left)));
    if (band.right >= 0) allowed = mx::logical_and(allowed, mx::greater_equal(distances, mx::array(-band.right)));
    scores = mx::where(allowed, scores, mx::array(-std::numeric_limits<float>::infinity()));
  }
  const mx::array mixed = mx::matmul(mx::softmax(scores, -1, true), split(value));
  return mx::reshape(mx::transpose(mixed, {1, 0, 2}), {queries, width});
}

std::optional<std::string> library() {
#ifdef PARAKEET_ONEDNN
  if (onCpu()) return onednnVersion();
#endif
  return std::nullopt;
}

const char* backend() {
  if (mx::default_device() == mx::Device::cpu) return "cpu";
#ifdef __APPLE__
  return "metal";
#else
  return "cuda";
#endif
}

void setThreads(int threads) { setPoolThreads(threads); }

}  // namespace parakeet::ops
