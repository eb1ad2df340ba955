// The device seam: the operations that a model is made of. On a CPU with oneDNN they are MLX primitives of ours
// (ops/cpu/), elsewhere MLX's own operations. The model code above does not know which.
//
// All arrays are float32. A sequence is a matrix [frames, channels]; those of several streams stand one below the other
// in a batch. Products and norms take all rows alike; what looks along time is told which rows are whose.
#pragma once

#include <mlx/mlx.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ops/dtype.h"

namespace parakeet::ops {

namespace mx = mlx::core;

class CpuMatrix;        // ops/cpu/matrix.h
struct Convolution3x3;  // ops/cpu/convolution.h
struct DepthwiseTaps;   // ops/cpu/depthwise.h

// glu joins two halves a and g of the channels: a · sigmoid(g) (Dauphin et al. 2017).
enum class Activation { none, relu, silu, glu };

// An array that owns a copy of `values`.
mx::array fromVector(const std::vector<float>& values, mx::Shape shape);

// Layer norm over the last axis, epsilon 1e-5: (x − mean) / √(variance + epsilon) · weight + bias.
struct Norm {
  mx::array weight, bias;
  mx::array operator()(const mx::array& x) const;
};

struct LinearShape {
  // Called with Activation::glu and nothing else; the result has half as many columns as there are outputs.
  bool gated = false;
  // The outputs are so many equal parts, whose results stand one below the other: [parts · rows, outputs / parts].
  int parts = 1;
};

// y = activation(x · wᵀ + b), weights packed once in `dtype`.
class Linear {
 public:
  // `weight`: [outputs, inputs] row-major. `bias`: [outputs], or empty for none.
  Linear(std::vector<float> weight, std::vector<float> bias, int outputs, int inputs, DType dtype,
         const LinearShape& shape = {});
  // x: [rows, inputs] → [rows, outputs].
  mx::array operator()(const mx::array& x, Activation activation = Activation::none) const;
  // What the CPU's own kernels multiply with; null elsewhere.
  const CpuMatrix* cpuMatrix() const;

 private:
  class Impl;
  std::shared_ptr<const Impl> impl_;
};

// 3 × 3 convolution of stride 2 over [height, width, channels]: depthwise, or from one channel to many. Zero padding
// of one to both sides of the width.
class Conv3x3 {
 public:
  // `weight`: [channels, 3, 3, 1]; `bias`: [channels]. `inputs`: 1 or `channels`.
  Conv3x3(const std::vector<float>& weight, std::vector<float> bias, int channels, int inputs);
  // `top`, `bottom`: rows of zeros added before and after the height.
  mx::array operator()(const mx::array& x, int top, int bottom, Activation activation = Activation::none) const;
  // What the CPU's own kernels convolve with; null elsewhere.
  const Convolution3x3* cpuConvolution() const;

 private:
  class Impl;
  std::shared_ptr<const Impl> impl_;
};

// Consecutive rows of a batch: one stream's.
struct Rows {
  int first = 0;
  int count = 0;
  int end() const { return first + count; }
};

// Depthwise convolution along time with a bias and SiLU after it, centred: the kernel is odd.
class DepthwiseConv1d {
 public:
  // `weight`: [channels, kernel]; `bias`: [channels].
  DepthwiseConv1d(std::vector<float> weight, std::vector<float> bias, int channels, int kernel);

  // One stream's rows, and the (kernel − 1) / 2 rows before them; none for zeros. After them come zeros.
  struct Item {
    Rows rows;
    std::optional<mx::array> past;
  };
  // x: [frames, channels] → silu(conv(x) + b), the same. The items cover all rows in order.
  mx::array operator()(const mx::array& x, const std::vector<Item>& items) const;
  // Frames that it looks back, and as many ahead: (kernel − 1) / 2.
  int reach() const;
  // For the CPU's own kernels; valid while this or a copy of it lives.
  DepthwiseTaps taps() const;

 private:
  class Impl;
  std::shared_ptr<const Impl> impl_;
};

// Which keys a query may attend to, in frames. Query i stands at `firstQuery + i`, key j at j; -1 for no limit.
struct Band {
  int left = -1;
  int right = -1;
  int firstQuery = 0;
};

// Queries that are handled at once, so that the scores of a long signal need not all be there.
constexpr int attentionBlock = 128;

// One stream's attention: its queries are rows of the batch, its keys and values are its own, those of the past first.
struct AttentionItem {
  Rows queries;
  mx::array key, value;  // [m, d]
  mx::array position;    // row r belongs to the distance `farthest` − r
  int farthest;          // queries and keys are never farther apart, or lie more than a block outside of the band
  Band band;
};

// Multi-head attention with relative positions (Dai et al. 2019, "Transformer-XL"; NeMo's
// RelPositionMultiHeadAttention): softmax(((q + u) kᵀ + (q + v) p[i − j]ᵀ) / √(d / heads)) · values, for each item.
//   query [n, d], covered by the items in order; u, v [d]. → [n, d]
mx::array relativeAttention(const mx::array& query, const std::vector<AttentionItem>& items, const mx::array& u,
                            const mx::array& v, int heads);

// While it lives, the CPU's operations look at `flag`, and once it is set they give up: what they were at is garbage
// then and must not be used. One at a time, on the engine's thread.
class GiveUpScope {
 public:
  explicit GiveUpScope(const std::atomic<bool>& flag);
  ~GiveUpScope();
  GiveUpScope(const GiveUpScope&) = delete;
  GiveUpScope& operator=(const GiveUpScope&) = delete;

 private:
  const std::atomic<bool>& flag_;
};

// What computes.
struct Machine {
  const char* backend;                      // "cpu", "metal" or "cuda"
  std::optional<std::string> library;       // "oneDNN 3.2.0"; none where MLX's own operations do the work
  std::optional<std::string> instructions;  // the set that the library uses: "avx2", "avx512_core_bf16", …
  bool nativeBfloat16;                      // whether products of bfloat16 are faster than those of float32
  bool byteProducts;                        // whether int8 multiplies bytes, or only keeps the weights in them
};
Machine machine();

// Threads for the CPU's operations; 0 for all cores. Before the first operation.
void setThreads(int threads);
// How many there are.
int threads();

// Floating-point operations per second of bare products [rows, inputs] · [inputs, outputs] in the type, measured for
// about `seconds`: the best that the machine is known to reach. On the engine's thread.
double productSpeed(DType dtype, int rows, int inputs, int outputs, double seconds);

}  // namespace parakeet::ops
