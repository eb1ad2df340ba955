// The FastConformer encoder over one signal, or over a piece of one with what came before. Not the stream's timing
// (engine/buffered_encoder.h).
#pragma once

#include <memory>
#include <vector>

#include "model/cancel.h"
#include "model/config.h"
#include "model/frame_rows.h"
#include "model/stream_cache.h"
#include "model/weights.h"
#include "ops/types.h"

namespace parakeet {

using ops::CacheUpdate;

// How far a frame attends, in frames; -1 for no limit. In a cache-aware encoder a chunk is `right` + 1 frames, which
// all see the chunk and `left` frames before it.
struct Context {
  int left = -1;
  int right = -1;
  int prompt = -1;  // the number of the language, of a model that is told
  bool operator==(const Context&) const = default;
  bool sameAttention(const Context& other) const { return left == other.left && right == other.right; }
};

// A piece of one stream, to be encoded after what `past` holds.
struct EncoderPiece {
  Matrix features;  // with the mel frames of the first output's receptive field in front, unless at the start
  bool atStart = false;
  bool atEnd = false;
  Context context;
  CacheUpdate update;
  StreamCachePtr past;
  // At the start: the first frames of the piece that are past already. They are there because the next one sees the
  // padding before the signal.
  int skip = 0;
};

struct EncodedPiece {
  FrameRows encoded;
  StreamCachePtr past;  // with the frames that became past; the piece's own must not be used any more
};

// One implementation for our CPU kernels, one for MLX's own operations.
class Encoder {
 public:
  explicit Encoder(const EncoderConfig& config) : config_(config) {}
  virtual ~Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  // Encodes pieces of several streams together: the result of one depends on the others only by rounding. If it throws,
  // all caches are as they were. On the engine's thread.
  virtual std::vector<EncodedPiece> encode(std::vector<EncoderPiece> pieces, const CancelFlag& cancel) const = 0;
  // Normalised features [mel frames, features] of whole signals, none of them empty → [ceil(mel frames / 8), dModel]
  // each, the same as alone, except for rounding. Checks `cancel` throughout. On the engine's thread.
  virtual std::vector<FrameRows> encode(const std::vector<const Matrix*>& signals, const Context& context,
                                        const CancelFlag& cancel) const = 0;
  FrameRows encode(const Matrix& features, const Context& context, const CancelFlag& cancel) const;

  // For snapshots: the cache of each layer, and back. `past` may be null: then all are empty.
  virtual std::vector<LayerCache> layersOf(const StreamCachePtr& past) const = 0;
  virtual StreamCachePtr cacheOf(const std::vector<LayerCache>& layers) const = 0;

  const EncoderConfig& config() const { return config_; }
  // Mel frames before those of an output that it sees, and a piece needs in front.
  int melBefore() const { return config_.melBefore(); }

 protected:
  // Throws ERR_PARAKEET_INVALID_ARGUMENT.
  void mustFit(const Matrix& features) const;
  // Which keys an item's queries see, after `cached` frames of its past.
  ops::Band band(const Context& context, int cached) const;

 private:
  EncoderConfig config_;
};

// For the device that computes. Checks `cancel` between layers.
std::unique_ptr<const Encoder> makeEncoder(const ModelConfig& config, const Weights& weights, ops::DType dtype,
                                           const CancelFlag& cancel);

}  // namespace parakeet
