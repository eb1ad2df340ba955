// The encoder of a multilingual model: another encoder, whose frames are told which language is spoken (NeMo's
// EncDecRNNTBPEModelWithPrompt): a number for the language is joined to each frame, and two linear layers make a frame
// of both.
#pragma once

#include <memory>
#include <vector>

#include "model/encoder.h"
#include "ops/linear.h"

namespace parakeet {

class PromptedEncoder : public Encoder {
 public:
  PromptedEncoder(std::unique_ptr<const Encoder> encoder, const PromptConfig& config, const Weights& weights,
                  ops::DType dtype);

  std::vector<EncodedPiece> encode(std::vector<EncoderPiece> pieces, const CancelFlag& cancel) const override;
  std::vector<FrameRows> encode(const std::vector<const Matrix*>& signals, const Context& context,
                                const CancelFlag& cancel) const override;
  using Encoder::encode;
  std::vector<LayerCache> layersOf(const StreamCachePtr& past) const override { return encoder_->layersOf(past); }
  StreamCachePtr cacheOf(const std::vector<LayerCache>& layers) const override { return encoder_->cacheOf(layers); }

 private:
  struct Layers {
    ops::Linear in, out;
    mlx::core::array languages;  // what each prompt adds to the first layer, [prompts, hidden]
  };
  static Layers readLayers(const PromptConfig& config, const Weights& weights, int width, ops::DType dtype);
  // `prompts`: of each item.
  std::vector<FrameRows> prompted(const std::vector<FrameRows>& encoded, const std::vector<int>& prompts) const;

  std::unique_ptr<const Encoder> encoder_;
  Layers layers_;
};

}  // namespace parakeet
