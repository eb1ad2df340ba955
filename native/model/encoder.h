// The FastConformer encoder over one signal, or over a piece of one with what came before. Not the stream's timing
// (engine/buffered_encoder.h).
#pragma once

#include <vector>

#include "model/cancel.h"
#include "model/config.h"
#include "model/conformer_layer.h"
#include "model/matrix.h"
#include "model/subsampling.h"

namespace parakeet {

// How far a frame attends, in frames; -1 for no limit.
struct Context {
  int left = -1;
  int right = -1;
  bool operator==(const Context&) const = default;
};

// A piece of one stream, to be encoded after what `caches` (one a layer) holds.
struct EncoderPiece {
  Matrix features;  // with the mel frames of the first output's receptive field in front, unless at the start
  bool atStart = false;
  bool atEnd = false;
  Context context;
  CacheUpdate update;
  std::vector<LayerCache> caches;
};

struct EncodedPiece {
  Matrix encoded;
  std::vector<LayerCache> caches;  // updated with the frames that became past
};

class Encoder {
 public:
  // Checks `cancel` between layers.
  Encoder(const EncoderConfig& config, const Weights& weights, ops::DType dtype, const CancelFlag& cancel);

  // Encodes pieces of several streams as one batch: the result of one depends on the others only by rounding. On the
  // engine's thread.
  std::vector<EncodedPiece> encode(std::vector<EncoderPiece> pieces, const CancelFlag& cancel) const;

  // Normalised features [mel frames, features] of a whole signal → [ceil(mel frames / 8), dModel]. Checks `cancel`
  // throughout. On the engine's thread.
  Matrix encode(const Matrix& features, const Context& context, const CancelFlag& cancel) const;
  // The same for several signals at once, none of them empty: each result is the same as alone, except for rounding.
  std::vector<Matrix> encode(const std::vector<const Matrix*>& signals, const Context& context,
                             const CancelFlag& cancel) const;

  const EncoderConfig& config() const { return config_; }
  const Subsampling& subsampling() const { return subsampling_; }

 private:
  struct Item;  // of a batch
  mlx::core::array run(mlx::core::array x, std::vector<Item>& items, const CancelFlag& cancel) const;
  // The sinusoids of distances from … to, projected for each layer, if they may be kept.
  const std::vector<mlx::core::array>* keptPositions(int from, int to, const CancelFlag& cancel) const;

  EncoderConfig config_;
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
