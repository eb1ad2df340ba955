// Attention of live steps as one CUDA kernel (live_attention.cuh). It is compiled once for a model, not for each shape.
#pragma once

#include <mlx/mlx.h>

#include <memory>
#include <optional>
#include <vector>

#include "ops/padded/attention.h"

namespace parakeet::ops {

class LiveAttention {
 public:
  // Null where there is no CUDA card. `size`: of a head. `type`: the activations'.
  static std::shared_ptr<const LiveAttention> make(int heads, int size, mx::Dtype type);

  // Whether it is for steps of this shape: few frames, and keys whose scores a block can hold.
  static bool takes(const PaddedShape& shape);

  struct Item {
    int past, count;  // of the cached frames the last ones that it has, of the frames the first ones
    int slot;         // of its cache
    int firstKept;    // of its keys, cached ones first, the one that its next cache begins with
  };
  // What the layers of a batch share. `distances`, `farthest`: of the table of positions. `kept`: frames of the next
  // caches, or 0.
  struct Step {
    mx::array numbers;
    int keys, kept;
  };
  static Step step(const PaddedShape& shape, int distances, int farthest, const Band& band, int kept,
                   const std::vector<Item>& items);

  struct Output {
    mx::array mixed;  // [B · T, d]
    mx::array kept;   // the next keys and values, [B, 2, heads, kept, size]; undefined where `kept` is 0
  };
  // projected: [B, T, 3, heads, size]; pool: [slots, 2, heads, cached, size], none without cached frames; u, v:
  // [heads, 1, 1, size].
  Output operator()(const Step& step, const mx::array& projected, const std::optional<mx::array>& pool,
                    const mx::array& positions, const mx::array& u, const mx::array& v) const;

 private:
  LiveAttention(int heads, int size, mx::Dtype type);

  int heads_, size_;
  mx::Dtype type_;
  mx::fast::CustomKernelFunction few_, many_;  // by the number of keys
};

}  // namespace parakeet::ops
