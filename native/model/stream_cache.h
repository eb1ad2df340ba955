// What an encoder keeps of a stream between its pieces.
#pragma once

#include <memory>
#include <vector>

#include "ops/block_cache.h"

namespace parakeet {

// A stream's cache of one layer as snapshots hold it: the same for all encoders.
struct LayerCache : ops::BlockCache {
  template <class Archive>
  void archive(Archive& archive) {
    archive(keys, values, place, convolution);
  }
};

// A stream's cache of all layers, in the form of its encoder. Null at a stream's start.
class StreamCache {
 public:
  virtual ~StreamCache() = default;
};
using StreamCachePtr = std::shared_ptr<const StreamCache>;

}  // namespace parakeet
