// `dw_striding` subsampling (NeMo's ConvSubsampling) over a padded batch, on MLX's own operations: a 3 × 3 convolution
// of stride 2, then depthwise-separable ones, then a linear layer.
//
// The convolutions are CUDA kernels of ours (subsampling_kernels.h); elsewhere products and sums of shifted views,
// since MLX's convolutions prepare each shape anew.
#pragma once

#include <memory>
#include <vector>

#include "ops/dense.h"
#include "ops/fused.h"
#include "ops/padded/subsampling_kernels.h"

namespace parakeet::ops {

// One item's log-mel frames as they are, [rows, features] row-major. `atStart`, `atEnd`: the first or last row is the
// signal's own, so each convolution pads its input with zeros there; otherwise the rows that its first frame sees come
// before those of that frame.
struct MelPiece {
  const float* rows;
  int count;
  bool atStart, atEnd;
  int skip = 0;  // first frames that are left out: 0, or 1 at the start
};

class PaddedSubsampling {
 public:
  struct Convolution {
    std::vector<float> weight, bias;  // [channels, 3, 3] and [channels]
  };
  struct Stage {
    Convolution depthwise;
    Dense pointwise;
  };
  // `padding`: zeros before the rows and columns of each convolution's input: 1, or 2 where they are causal. `out`: its
  // inputs are width × channels. `melType`: of the mel frames on their way to the device.
  PaddedSubsampling(int features, int channels, int padding, const Convolution& first, std::vector<Stage> stages,
                    Dense out, DType dtype, mx::Dtype melType);

  // How many frames a piece gives.
  int framesOf(const MelPiece& piece) const;
  // → [items · frames, dModel]; `frames` is at least that of each item. What lies beyond an item's frames is undefined.
  mx::array operator()(const std::vector<MelPiece>& pieces, int frames) const;

 private:
  struct Kernel {
    std::vector<mx::array> taps;  // nine, [channels]
    mx::array bias;               // [channels]
  };
  struct Level {
    Kernel depthwise;
    Dense pointwise;
  };
  // Rows before those of the first frame at a level (0: the mel frames) that it sees.
  int before(int level) const { return padding_ * ((1 << (levels_ - level)) - 1); }
  // At a level, the rows of an item that are not padding, in rows of the batch.
  struct Rows {
    int begin, end;
  };
  Rows rowsAt(const MelPiece& piece, int level) const;
  // The rows of all items and levels that are not padding: [items, levels, 2].
  std::vector<int32_t> limits(const std::vector<MelPiece>& pieces) const;
  // → [items · frames, width · channels]
  mx::array convolve(const std::vector<MelPiece>& pieces, int frames) const;
  mx::array convolveByKernels(const std::vector<MelPiece>& pieces, int frames) const;
  // The mel frames of all pieces, each with the rows before it and with so many zeros before its features: [items,
  // rows, columns].
  mx::array melOf(const std::vector<MelPiece>& pieces, int rows, int zeros, int columns) const;
  // A long signal: [frames, dModel].
  mx::array inPieces(const MelPiece& piece, int frames) const;

  int features_, channels_, padding_, levels_;
  mx::Dtype type_, melType_;
  mx::array first_;    // [16, channels]: nine taps, the bias, and zeros
  mx::array biasTap_;  // [4, 4]: where the bias stands in a window
  mx::array inside_;   // which of the first convolution's columns are not padding, [padding + width + 1, 1, 1]
  std::vector<Level> stages_;
  std::shared_ptr<const SubsamplingKernels> kernels_;
  int framesAtOnce_;
  Dense out_;
  // The last three inputs of the first and the last one: a row's number, the first one that an item has, and the one
  // after the last.
  Fused window_, rectified_, plain_, masked_;
};

}  // namespace parakeet::ops
