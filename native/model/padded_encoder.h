// The encoder on MLX's own operations, for GPUs and for CPUs without oneDNN. Pieces and signals of about the same
// length are padded to one and stacked, so that the number of kernels does not grow with the number of streams.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "model/cache_pool.h"
#include "model/encoder.h"
#include "model/padded_layer.h"
#include "ops/padded/subsampling.h"

namespace parakeet {

class PaddedEncoder : public Encoder {
 public:
  PaddedEncoder(const EncoderConfig& config, const Weights& weights, ops::DType dtype, const CancelFlag& cancel);

  std::vector<EncodedPiece> encode(std::vector<EncoderPiece> pieces, const CancelFlag& cancel) const override;
  std::vector<FrameRows> encode(const std::vector<const Matrix*>& signals, const Context& context,
                                const CancelFlag& cancel) const override;
  using Encoder::encode;
  std::vector<LayerCache> layersOf(const StreamCachePtr& past) const override;
  StreamCachePtr cacheOf(const std::vector<LayerCache>& layers) const override;

  // The length that so many frames are padded to.
  static int paddedFrames(int frames);
  // The same for cached frames.
  static int paddedCache(int frames);

 private:
  struct Item;   // a piece or a signal
  struct Batch;  // items of one shape
  struct Cache;  // of a stream

  static std::vector<Batch> batchesOf(std::vector<Item>& items, int heads);
  // Encodes the items of a batch and collects what their caches are to become.
  void run(Batch& batch, const CancelFlag& cancel) const;
  void runLayers(Batch& batch, mlx::core::array x, const CancelFlag& cancel) const;
  // What the batch leaves behind of a layer, in its updates.
  ops::LiveAttention::Step liveStep(const Batch& batch, const ops::PositionTable& table, const ops::Band& band) const;
  void keep(Batch& batch, const ops::PaddedOutput& output) const;
  // Encodes all items, and writes their caches once nothing can fail any more.
  void encode(std::vector<Item>& items, const CancelFlag& cancel) const;
  // Projected positions of the distances from … down to …: of a layer, or those of all if they may be kept.
  ops::PositionTable positions(const PaddedLayer& layer, int from, int to) const;
  const std::vector<ops::PositionTable>* keptPositions(int from, int to) const;
  std::shared_ptr<CachePool> pool(int frames) const;

  mlx::core::Dtype type_;
  ops::PaddedSubsampling subsampling_;
  std::vector<PaddedLayer> layers_;
  ops::BlockFunctions functions_;
  struct Positions {
    int from = 0, to = 1;  // empty at first
    std::vector<ops::PositionTable> tables;
  };
  mutable Positions positions_;
  mutable std::map<int, std::shared_ptr<CachePool>> pools_;  // by padded frames
};

}  // namespace parakeet
