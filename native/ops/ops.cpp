#include "ops/ops.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "ops/cpu/convolution.h"
#include "ops/cpu/depthwise.h"
#include "ops/cpu/kernel.h"
#include "ops/cpu/matrix.h"
#include "ops/cpu/onednn.h"
#include "ops/cpu/pointwise.h"
#include "ops/cpu/pool.h"
#include "ops/cpu/product_speed.h"
#include "ops/shape.h"

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
    case Activation::glu: {
      const std::vector<mx::array> halves = mx::split(x, 2, 1);
      return halves[0] * mx::sigmoid(halves[1]);
    }
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

namespace {

// MLX's own products: weights as they are, as bfloat16, or in MLX's groups of bytes.
class PlainMatrix {
 public:
  PlainMatrix(const std::vector<float>& weight, const std::vector<float>& bias, int outputs, int inputs, DType dtype) {
    const mx::array wide = fromVector(weight, {outputs, inputs});
    if (!bias.empty()) bias_ = fromVector(bias, {outputs});
    for (const int group : {128, 64, 32}) {
      const bool bytes = dtype == DType::int8 || dtype == DType::int8Products;
      if (!bytes || group_ || inputs % group != 0) continue;
      group_ = group;
      const std::vector<mx::array> parts = mx::quantize(wide, group, 8);
      weight_ = parts[0];
      scales_ = parts[1];
      biases_ = parts[2];
    }
    // A width that no group divides stays in bfloat16.
    if (!group_) weight_ = mx::transpose(dtype == DType::float32 ? wide : mx::astype(wide, mx::bfloat16));
    std::vector<mx::array> parts{*weight_};
    if (group_) parts.insert(parts.end(), {*scales_, *biases_});
    mx::eval(parts);
  }

  mx::array multiply(const mx::array& x) const {
    const mx::array product = group_ ? mx::quantized_matmul(x, *weight_, *scales_, biases_, true, group_, 8)
                                     : mx::astype(mx::matmul(mx::astype(x, weight_->dtype()), *weight_), mx::float32);
    return bias_ ? product + *bias_ : product;
  }

 private:
  int group_ = 0;
  std::optional<mx::array> weight_, scales_, biases_, bias_;
};

}  // namespace

class Linear::Impl {
 public:
  Impl(const std::vector<float>& weight, const std::vector<float>& bias, int outputs, int inputs, DType dtype,
       const LinearShape& shape)
      : inputs_(inputs), parts_(shape.parts) {
#ifdef PARAKEET_ONEDNN
    if (onCpu()) {
      matrix_ = makeCpuMatrix(weight, bias, outputs, inputs, dtype, shape);
      return;
    }
#endif
    plain_.emplace(weight, bias, outputs, inputs, dtype);
  }

  mx::array apply(const mx::array& x, Activation activation) const {
    mustHaveWidth("Linear", x, inputs_);
#ifdef PARAKEET_ONEDNN
    if (matrix_) return applyOnCpu(x, activation);
#endif
    const mx::array y = activate(plain_->multiply(x), activation);
    return parts_ > 1 ? mx::concatenate(mx::split(y, parts_, 1), 0) : y;
  }

#ifdef PARAKEET_ONEDNN
  const CpuMatrix* matrix() const { return matrix_.get(); }
#endif

 private:
#ifdef PARAKEET_ONEDNN
  mx::array applyOnCpu(const mx::array& x, Activation activation) const {
    const int rows = x.shape(0);
    const auto inputs = static_cast<size_t>(x.shape(1)), width = static_cast<size_t>(matrix_->outputs() / parts_);
    return cpuKernel("Linear", {x}, {parts_ * rows, static_cast<int>(width)},
                     [=, matrix = matrix_](const std::vector<const float*>& arrays, float* y) {
                       matrix->multiply({arrays[0], inputs, rows}, {y, width, rows * width, activation});
                     });
  }

  std::shared_ptr<const CpuMatrix> matrix_;
#endif
  int inputs_, parts_;
  std::optional<PlainMatrix> plain_;
};

Linear::Linear(std::vector<float> weight, std::vector<float> bias, int outputs, int inputs, DType dtype,
               const LinearShape& shape)
    : impl_(std::make_shared<const Impl>(weight, bias, outputs, inputs, dtype, shape)) {}

mx::array Linear::operator()(const mx::array& x, Activation activation) const { return impl_->apply(x, activation); }

const CpuMatrix* Linear::cpuMatrix() const {
#ifdef PARAKEET_ONEDNN
  return impl_->matrix();
#else
  return nullptr;
#endif
}

// ---- Conv3x3

class Conv3x3::Impl {
 public:
  Impl(const std::vector<float>& weight, std::vector<float> bias, int channels, int inputs)
      : channels_(channels), inputs_(inputs) {
#ifdef PARAKEET_ONEDNN
    if (onCpu()) {
      std::vector<float> taps(weight.size());
      for (int c = 0; c < channels; c++) {
        for (int k = 0; k < 9; k++)
          taps[static_cast<size_t>(k) * channels + c] = weight[static_cast<size_t>(c) * 9 + k];
      }
      kernel_ = std::make_shared<const Convolution3x3>(
          Convolution3x3{std::move(taps), std::move(bias), channels, inputs == channels});
      return;
    }
#endif
    weight_ = fromVector(weight, {channels, 3, 3, 1});
    bias_ = fromVector(bias, {channels});
  }

  mx::array apply(const mx::array& x, int top, int bottom, Activation activation) const {
    mustHaveWidth("Conv3x3", x, inputs_);
#ifdef PARAKEET_ONEDNN
    if (kernel_) {
      const int height = x.shape(0), width = x.shape(1), rows = convolvedHeight(height, top, bottom);
      return cpuKernel("Conv3x3", {x}, {rows, convolvedWidth(width), channels_},
                       [=, kernel = kernel_](const std::vector<const float*>& inputs, float* output) {
                         parallelFor(rows, 4, [&](int begin, int end) {
                           const ptrdiff_t first = static_cast<ptrdiff_t>(begin) * convolvedWidth(width);
                           kernel->run(inputs[0], output + first * kernel->channels, height, width, top, begin, end,
                                       activation);
                         });
                       });
    }
#endif
    const mx::array padded = mx::pad(x, {{top, bottom}, {1, 1}, {0, 0}});
    const mx::array product = mx::conv2d(mx::expand_dims(padded, 0), *weight_, {2, 2}, {0, 0}, {1, 1}, inputs_);
    return activate(mx::squeeze(product, 0) + *bias_, activation);
  }

  const Convolution3x3* kernel() const {
#ifdef PARAKEET_ONEDNN
    return kernel_.get();
#else
    return nullptr;
#endif
  }

 private:
  int channels_, inputs_;
#ifdef PARAKEET_ONEDNN
  std::shared_ptr<const Convolution3x3> kernel_;
#endif
  std::optional<mx::array> weight_;
  std::optional<mx::array> bias_;
};

Conv3x3::Conv3x3(const std::vector<float>& weight, std::vector<float> bias, int channels, int inputs)
    : impl_(std::make_shared<const Impl>(weight, std::move(bias), channels, inputs)) {}

mx::array Conv3x3::operator()(const mx::array& x, int top, int bottom, Activation activation) const {
  return impl_->apply(x, top, bottom, activation);
}

const Convolution3x3* Conv3x3::cpuConvolution() const { return impl_->kernel(); }

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

// ---- the rest

mx::array Norm::operator()(const mx::array& x) const { return mx::fast::layer_norm(x, weight, bias, 1e-5f); }

namespace {

// MLX's own operations for a block of one stream's queries [n, d], with the keys that any of them may see. `position`:
// of the distances from that of the last query and the first key downwards.
mx::array attendBlock(const mx::array& query, const AttentionItem& item, const mx::array& u, const mx::array& v,
                      int heads) {
  const int queries = query.shape(0), keys = item.key.shape(0), width = query.shape(1), size = width / heads;
  const Band& band = item.band;
  const auto split = [&](const mx::array& x) { return mx::transpose(mx::reshape(x, {-1, heads, size}), {1, 0, 2}); };
  const float scale = 1.0f / std::sqrt(static_cast<float>(size));
  const mx::array distance = mx::matmul(split(query + v), mx::swapaxes(split(item.position), 1, 2));
  // The shift of Transformer-XL as a view: element (i, j) is distance[i, queries − 1 − i + j].
  const int row = queries + keys - 1;
  const mx::array shifted =
      mx::as_strided(mx::contiguous(distance), {heads, queries, keys},
                     {static_cast<int64_t>(queries) * row, row - 1, 1}, static_cast<size_t>(queries - 1));
  mx::array scores = (mx::matmul(split(query + u), mx::swapaxes(split(item.key), 1, 2)) + shifted) * mx::array(scale);
  if (band.left >= 0 || band.right >= 0) {
    const mx::array distances = mx::expand_dims(mx::arange(band.firstQuery, band.firstQuery + queries, mx::int32), 1) -
                                mx::expand_dims(mx::arange(0, keys, mx::int32), 0);
    mx::array allowed = mx::full({queries, keys}, true, mx::bool_);
    if (band.left >= 0) allowed = mx::logical_and(allowed, mx::less_equal(distances, mx::array(band.left)));
    if (band.right >= 0) allowed = mx::logical_and(allowed, mx::greater_equal(distances, mx::array(-band.right)));
    scores = mx::where(allowed, scores, mx::array(-std::numeric_limits<float>::infinity()));
  }
  const mx::array mixed = mx::matmul(mx::softmax(scores, -1, true), split(item.value));
  return mx::reshape(mx::transpose(mixed, {1, 0, 2}), {queries, width});
}

// MLX's own operations for one stream: only the keys within the band of each block, so that the scores grow with the
// signal's length and not with its square.
mx::array attendPlainly(const mx::array& query, const AttentionItem& item, const mx::array& u, const mx::array& v,
                        int heads) {
  const int queries = query.shape(0), keys = item.key.shape(0), width = query.shape(1);
  const auto rows = [&](const mx::array& x, int begin, int end) { return mx::slice(x, {begin, 0}, {end, width}); };
  std::vector<mx::array> blocks;
  for (int first = 0; first < queries; first += attentionBlock) {
    const int count = std::min(attentionBlock, queries - first), at = item.band.firstQuery + first;
    const int low = item.band.left < 0 ? 0 : std::max(0, at - item.band.left);
    const int high = item.band.right < 0 ? keys : std::min(keys, at + count + item.band.right);
    const int top = item.farthest - (at + count - 1) + low;  // row of the block's greatest distance
    const AttentionItem block{{0, count},
                              rows(item.key, low, high),
                              rows(item.value, low, high),
                              rows(item.position, top, top + count + high - low - 1),
                              at + count - 1 - low,
                              {item.band.left, item.band.right, at - low}};
    blocks.push_back(attendBlock(rows(query, first, first + count), block, u, v, heads));
  }
  return blocks.size() == 1 ? blocks[0] : mx::concatenate(blocks, 0);
}

}  // namespace

mx::array relativeAttention(const mx::array& query, const std::vector<AttentionItem>& items, const mx::array& u,
                            const mx::array& v, int heads) {
  const int width = query.shape(1);
  std::vector<mx::array> outputs;
  for (const AttentionItem& item : items) {
    mustHaveWidth("Attention's keys", item.key, width);
    mustHaveWidth("Attention's values", item.value, width);
    const mx::array own = mx::slice(query, {item.queries.first, 0}, {item.queries.end(), width});
    outputs.push_back(attendPlainly(own, item, u, v, heads));
  }
  return outputs.size() == 1 ? outputs[0] : mx::concatenate(outputs, 0);
}

GiveUpScope::GiveUpScope(const std::atomic<bool>& flag) : flag_(flag) { setGivenUp(&flag); }
GiveUpScope::~GiveUpScope() {
  if (flag_) mx::synchronize();  // nobody waits for what runs, but nothing else should meet it
  setGivenUp(nullptr);
}

Machine machine() {
#ifdef PARAKEET_ONEDNN
  if (onCpu()) return {"cpu", onednnVersion(), onednnInstructions(), hasBfloat16(), hasByteProducts()};
#endif
  if (mx::default_device() == mx::Device::cpu) return {"cpu", std::nullopt, std::nullopt, false, true};
#ifdef __APPLE__
  return {"metal", std::nullopt, std::nullopt, true, true};
#else
  return {"cuda", std::nullopt, std::nullopt, true, true};
#endif
}

void setThreads(int threads) { setPoolThreads(threads); }
int threads() { return poolThreads(); }

double productSpeed(DType dtype, int rows, int inputs, int outputs, double seconds) {
#ifdef PARAKEET_ONEDNN
  if (onCpu()) return productSpeed(dtype, ProductShape{rows, inputs, outputs}, seconds);
#endif
  using Clock = std::chrono::steady_clock;
  const Linear linear(std::vector<float>(static_cast<size_t>(outputs) * inputs), {}, outputs, inputs, dtype);
  const mx::array x = mx::zeros({rows, inputs});
  mx::eval(linear(x));
  double best = 1e30;
  const auto start = Clock::now();
  do {
    const auto begin = Clock::now();
    mx::eval(linear(x));
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  } while (std::chrono::duration<double>(Clock::now() - start).count() < seconds);
  return 2.0 * rows * inputs * outputs / best;
}

}  // namespace parakeet::ops
