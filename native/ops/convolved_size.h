// Sizes of what a 3 × 3 convolution of stride 2 gives.
#pragma once

namespace parakeet::ops {

// `top` and `bottom` are rows of zeros before and after the height.
constexpr int convolvedHeight(int height, int top, int bottom) { return (height + top + bottom - 3) / 2 + 1; }
// A column of zeros on both sides.
constexpr int convolvedWidth(int width) { return (width - 1) / 2 + 1; }

}  // namespace parakeet::ops
