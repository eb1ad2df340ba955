// The gate and the depthwise convolution of a block as one CUDA kernel (gated_convolution.cuh), in place of six of
// MLX's operations. It is compiled once for a model, not for each shape.
#pragma once

#include <mlx/mlx.h>

#include <memory>
#include <optional>
#include <vector>

namespace parakeet::ops {
namespace mx = mlx::core;

class GatedConvolution {
 public:
  // Null where there is no CUDA card. `type` is the activations'.
  static std::shared_ptr<const GatedConvolution> make(int width, int kernel, int before, mx::Dtype type);

  // What the layers of a batch share: frames of an item, whether there is a past and whether the gated frames are
  // wanted; then the frames that each item has.
  static mx::array numbersOf(int frames, bool hasPast, bool keeps, const std::vector<int>& counts);

  struct Output {
    mx::array y;          // [items, frames, width]
    mx::array convolved;  // [items, before + frames + ahead, width]; undefined values unless wanted
  };
  // both: [items, frames, 2 · width]; past: [items, before, width]; taps [kernel, width] and bias [width], float32.
  Output operator()(const mx::array& numbers, const mx::array& both, const std::optional<mx::array>& past, bool keeps,
                    const mx::array& taps, const mx::array& bias) const;

 private:
  GatedConvolution(int width, int kernel, int before, mx::Dtype type);

  int width_, kernel_;
  mx::Dtype type_;
  mx::fast::CustomKernelFunction run_;
};

}  // namespace parakeet::ops
