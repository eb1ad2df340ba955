// Sizes of what a 3 × 3 convolution of stride 2 gives.
#pragma once

namespace parakeet::ops {

// `top` and `bottom` are rows of zeros before and after the height.
constexpr int convolvedHeight(int height, int top, int bottom) { return (height + top + bottom - 3) / 2 + 1; }
// `before`: columns of zeros before the width; there is one after it.
constexpr int convolvedWidth(int width, int before) { return (width + before - 2) / 2 + 1; }

}  // namespace parakeet::ops
