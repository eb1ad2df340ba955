// `dw_striding` subsampling (NeMo's ConvSubsampling): a 3 × 3 convolution of stride 2, then depthwise-separable ones,
// then a linear layer. Factor 8: output t sees mel frames 8t − 7 … 8t + 7, or, causal, 8t − 14 … 8t.
#pragma once

#include <memory>
#include <vector>

#include "model/config.h"
#include "model/weights.h"
#include "ops/separable_conv.h"

namespace parakeet {

class Subsampling {
 public:
  Subsampling(const EncoderConfig& config, const Weights& weights, ops::DType dtype);

  // One stream's features [mel frames, features]. `atStart`, `atEnd`: the first or last row is the signal's own, so
  // each level pads its input with zeros there; elsewhere the caller passes the frames of the receptive field.
  struct Item {
    mlx::core::array features;
    bool atStart, atEnd;
    int skip = 0;  // first frames of the result that are left out
  };
  // → the frames of all items, stacked, [frames, dModel], and which rows belong to which item.
  mlx::core::array operator()(const std::vector<Item>& items, std::vector<ops::Rows>& rows) const;

 private:
  // The convolutions: [frames, width × channels].
  mlx::core::array convolve(const Item& item) const;
  // A long signal in pieces, so that not all of its convolutions are in memory at once: [frames, dModel].
  mlx::core::array inPieces(const Item& item) const;

  EncoderConfig config_;
  std::unique_ptr<ops::Conv3x3> first_;
  std::vector<ops::SeparableConv> stages_;
  std::unique_ptr<ops::Linear> out_;
};

}  // namespace parakeet
