// The linear layer of a CTC model: encoder frames to logits. Read-only.
#pragma once

#include <string>

#include "model/config.h"
#include "model/weights.h"
#include "ops/ops.h"

namespace parakeet {

class CtcHead {
 public:
  // `name`: the prefix of its tensors.
  CtcHead(const std::string& name, const ModelConfig& config, const Weights& weights, ops::DType dtype)
      : vocabulary_(config.vocabulary),
        classes_(weights.rows(name + ".weight", {config.vocabulary + 1, 1, config.encoder.dModel}),
                 weights.take(name + ".bias", {config.vocabulary + 1}), ops::atLeastInt8(dtype)) {}

  int vocabulary() const { return vocabulary_; }
  // [frames, vocabulary + 1], the blank last. On the engine's thread.
  mlx::core::array logits(const mlx::core::array& encoded) const { return classes_(encoded); }

 private:
  int vocabulary_;
  ops::Linear classes_;
};

}  // namespace parakeet
