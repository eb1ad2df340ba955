// The depthwise convolutions of the subsampling as CUDA kernels (subsampling.cuh). They are compiled once for a model,
// not for each shape.
#pragma once

#include <mlx/mlx.h>

#include <memory>
#include <vector>

namespace parakeet::ops {
namespace mx = mlx::core;

class SubsamplingKernels {
 public:
  // A convolution's nine taps and bias, one after the other: [10, channels].
  using Taps = std::vector<float>;

  // Null where there is no CUDA card. `width`: columns of the first convolution. `depthwise`: of each later level, of
  // which there is one at least.
  static std::shared_ptr<const SubsamplingKernels> make(int channels, int padding, int width, const Taps& first,
                                                        const std::vector<Taps>& depthwise, mx::Dtype type);

  // What a kernel is told: sizes of its input and its output, and of each item the rows of all levels that are not
  // padding, `limits`, [items, levels, 2].
  struct Sizes {
    int levels, rows, columns, rowsOut, columnsOut;
  };
  // mel: [items, rows, columns] with 3 · padding zeros before the features. → [items, rowsOut, columnsOut, channels]
  mx::array firstTwo(const Sizes& sizes, const std::vector<int>& limits, const mx::array& mel) const;
  // x: what the level before gave, [items, rows, columns, channels]; relu and padding are the kernel's. `level`: of
  // the output, from 3 on. → [items, rowsOut, columnsOut, channels]
  mx::array depthwise(const Sizes& sizes, const std::vector<int>& limits, int level, const mx::array& x) const;

 private:
  SubsamplingKernels(int channels, int padding, int width, const Taps& first, const std::vector<Taps>& depthwise,
                     mx::Dtype type);
  mx::array run(const mx::fast::CustomKernelFunction& kernel, const Sizes& sizes, const std::vector<int>& limits,
                const mx::array& x, const mx::array& weights) const;

  int channels_;
  mx::Dtype type_;
  mx::fast::CustomKernelFunction first_;
  mx::array firstWeights_;  // [20, channels]
  struct Level {
    mx::fast::CustomKernelFunction run;
    mx::array weights;  // [10, channels]
  };
  std::vector<Level> levels_;  // from the third on
};

}  // namespace parakeet::ops
