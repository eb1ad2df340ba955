// The encoder on our CPU kernels: the frames of all streams are stacked, without padding. A layer is one kernel.
#pragma once

#ifdef PARAKEET_CPU_KERNELS

#include <vector>

#include "model/conformer_layer.h"
#include "model/encoder.h"
#include "model/subsampling.h"

namespace parakeet {

class PackedEncoder : public Encoder {
 public:
  PackedEncoder(const EncoderConfig& config, const Weights& weights, ops::DType dtype, const CancelFlag& cancel);

  std::vector<EncodedPiece> encode(std::vector<EncoderPiece> pieces, const CancelFlag& cancel) const override;
  std::vector<FrameRows> encode(const std::vector<const Matrix*>& signals, const Context& context,
                                const CancelFlag& cancel) const override;
  using Encoder::encode;
  std::vector<LayerCache> layersOf(const StreamCachePtr& past) const override;
  StreamCachePtr cacheOf(const std::vector<LayerCache>& layers) const override;

 private:
  struct Item;  // of a batch
  std::vector<ops::BlockPast> pastsOf(const StreamCachePtr& past) const;
  mlx::core::array run(mlx::core::array x, std::vector<Item>& items, const CancelFlag& cancel) const;
  // The sinusoids of distances from … to, projected for each layer, if they may be kept.
  const std::vector<mlx::core::array>* keptPositions(int from, int to, const CancelFlag& cancel) const;

  Subsampling subsampling_;
  std::vector<ConformerLayer> layers_;
  // One table of projected positions, grown as longer ranges come: every shorter range is a slice of it.
  struct PositionTable {
    int from = 0, to = 1;  // distances of the first and the last row; empty at first
    std::vector<mlx::core::array> projected;
  };
  mutable PositionTable positions_;
};

}  // namespace parakeet

#endif
