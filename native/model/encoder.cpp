#include "model/encoder.h"

#include <string>
#include <utility>

#include "error.h"
#include "model/mutant.h"
#include "model/packed_encoder.h"
#include "model/padded_encoder.h"
#include "model/prompted_encoder.h"
#include "ops/device.h"

namespace parakeet {

FrameRows Encoder::encode(const Matrix& features, const Context& context, const CancelFlag& cancel) const {
  if (features.rows == 0) return toFrameRows({{}, 0, config_.dModel});
  return std::move(encode(std::vector<const Matrix*>{&features}, context, cancel)[0]);
}

void Encoder::mustFit(const Matrix& features) const {
  if (features.columns == config_.features) return;
  throw Error("ERR_PARAKEET_INVALID_ARGUMENT", "Expected mel frames of " + std::to_string(config_.features) +
                                                   " features but received some of " +
                                                   std::to_string(features.columns));
}

ops::Band Encoder::band(const Context& context, int cached) const {
  if (!config_.causal || context.right < 0) return {context.left, context.right, cached};
  return {context.left, mutant("attention-ahead") ? 1 : 0, cached, context.right + 1};
}

static std::unique_ptr<const Encoder> makeForDevice(const EncoderConfig& config, const Weights& weights,
                                                    ops::DType dtype, const CancelFlag& cancel) {
#ifdef PARAKEET_CPU_KERNELS
  if (ops::onCpu()) return std::make_unique<const PackedEncoder>(config, weights, dtype, cancel);
#endif
  return std::make_unique<const PaddedEncoder>(config, weights, dtype, cancel);
}

std::unique_ptr<const Encoder> makeEncoder(const ModelConfig& config, const Weights& weights, ops::DType dtype,
                                           const CancelFlag& cancel) {
  auto encoder = makeForDevice(config.encoder, weights, dtype, cancel);
  if (config.prompt.prompts == 0) return encoder;
  return std::make_unique<const PromptedEncoder>(std::move(encoder), config.prompt, weights,
                                                 ops::atLeastBfloat16(dtype));
}

}  // namespace parakeet
