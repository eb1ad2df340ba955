// The depthwise convolution along time of a Conformer block.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "ops/types.h"

namespace parakeet::ops {

struct DepthwiseTaps;  // ops/cpu/depthwise.h

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

}  // namespace parakeet::ops
