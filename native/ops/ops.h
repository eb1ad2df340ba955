// The device seam: the operations that a model is made of. On a CPU with oneDNN they are MLX primitives of ours
// (ops/cpu/), elsewhere MLX's own operations. The model code above does not know which.
//
// All arrays are float32. A sequence is a matrix [frames, channels] of one stream.
#pragma once

#include <mlx/mlx.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace parakeet::ops {

namespace mx = mlx::core;

enum class Activation { none, relu, silu };

// An array that owns a copy of `values`.
mx::array fromVector(const std::vector<float>& values, mx::Shape shape);

// y = activation(x · wᵀ + b), weights packed once.
class Linear {
 public:
  // `weight`: [outputs, inputs] row-major. `bias`: [outputs], or empty for none.
  Linear(std::vector<float> weight, std::vector<float> bias, int outputs, int inputs);
  // x: [rows, inputs] → [rows, outputs].
  mx::array operator()(const mx::array& x, Activation activation = Activation::none) const;

 private:
  class Impl;
  std::shared_ptr<const Impl> impl_;
};

// Two-dimensional convolution over [height, width, channels], 3 × 3 or 1 × 1, zero padding of one to the left and
// right of the width for 3 × 3.
class Conv2d {
 public:
  // `weight`: [outputs, kernel, kernel, inputs / groups]; `bias`: [outputs]. `groups` is 1, or `inputs` for depthwise.
  Conv2d(std::vector<float> weight, std::vector<float> bias, int outputs, int inputs, int kernel, int stride,
         int groups);
  // `top`, `bottom`: rows of zeros added before and after the height.
  mx::array operator()(const mx::array& x, int top, int bottom, Activation activation = Activation::none) const;

 private:
  class Impl;
  std::shared_ptr<const Impl> impl_;
};

// Depthwise convolution along time with a bias and SiLU after it; no padding.
class DepthwiseConv1d {
 public:
  // `weight`: [channels, kernel]; `bias`: [channels].
  DepthwiseConv1d(std::vector<float> weight, std::vector<float> bias, int channels, int kernel);
  // x: [frames + kernel − 1, channels] → silu(conv(x) + b): [frames, channels].
  mx::array operator()(const mx::array& x) const;

 private:
  class Impl;
  std::shared_ptr<const Impl> impl_;
};

// Layer norm over the last axis, epsilon 1e-5.
mx::array layerNorm(const mx::array& x, const mx::array& weight, const mx::array& bias);

// a[..., :half] · sigmoid(a[..., half:]) for [frames, 2 · channels].
mx::array glu(const mx::array& x);

// Which keys a query may attend to, in frames. Query i stands at `firstQuery + i`, key j at j; -1 for no limit.
struct Band {
  int left = -1;
  int right = -1;
  int firstQuery = 0;
};

// Multi-head attention with relative positions (Dai et al. 2019, "Transformer-XL"; NeMo's
// RelPositionMultiHeadAttention): softmax(((q + u) kᵀ + (q + v) p[i − j]ᵀ) / √(d / heads)) · values.
//   query [n, d]; key, value [m, d]; u, v [d]; position [n + m − 1, d]: row r belongs to the distance
//   firstQuery + n − 1 − r between a query and a key. → [n, d]
mx::array relativeAttention(const mx::array& query, const mx::array& key, const mx::array& value,
                            const mx::array& position, const mx::array& u, const mx::array& v, int heads,
                            const Band& band);

// Name and version of what computes: "oneDNN 3.2.0", or none where MLX's own operations do.
std::optional<std::string> library();

// "cpu", "metal" or "cuda": where the operations run.
const char* backend();

// Threads for the CPU's operations; 0 for all cores. Before the first operation.
void setThreads(int threads);

}  // namespace parakeet::ops
