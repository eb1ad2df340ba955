// One layer's weights for the padded batches of MLX's own operations.
#pragma once

#include "model/config.h"
#include "model/layer_weights.h"
#include "ops/padded/block.h"

namespace parakeet {

struct PaddedLayer {
  ops::PaddedBlock block;
  ops::Dense position;
};

// A linear layer of a model's tensors, for MLX's own products.
ops::Dense makeDense(const LinearTensors& tensors, ops::DType dtype);

// What all layers share; null where it is MLX's operations.
struct PaddedKernels {
  std::shared_ptr<const ops::GatedConvolution> gated;
  std::shared_ptr<const ops::LiveAttention> live;
  std::shared_ptr<const ops::ShiftedNormKernel> norm;
};

PaddedLayer makePaddedLayer(const EncoderConfig& config, const LayerWeights& weights, ops::DType dtype,
                            const PaddedKernels& kernels);

}  // namespace parakeet
