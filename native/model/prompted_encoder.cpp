#include "model/prompted_encoder.h"

#include <string>
#include <utility>

#include "error.h"

namespace parakeet {
namespace mx = mlx::core;

// The first layer reads a frame and, behind it, the one-hot number of a language: for that, a column of its weights.
PromptedEncoder::Layers PromptedEncoder::readLayers(const PromptConfig& config, const Weights& weights, int width,
                                                    ops::DType dtype) {
  const int columns = width + config.prompts, hidden = config.hidden;
  const std::vector<float> all = weights.take("prompt_kernel.0.weight", {hidden, columns});
  std::vector<float> frame, languages(static_cast<size_t>(config.prompts) * hidden);
  frame.reserve(static_cast<size_t>(hidden) * width);
  for (int row = 0; row < hidden; row++) {
    const float* values = all.data() + static_cast<size_t>(row) * columns;
    frame.insert(frame.end(), values, values + width);
    for (int prompt = 0; prompt < config.prompts; prompt++)
      languages[static_cast<size_t>(prompt) * hidden + row] = values[width + prompt];
  }
  return {
      {{std::move(frame), width}, weights.take("prompt_kernel.0.bias", {hidden}), dtype},
      {weights.rows("prompt_kernel.2.weight", {width, hidden}), weights.take("prompt_kernel.2.bias", {width}), dtype},
      ops::fromVector(languages, {config.prompts, hidden})};
}

PromptedEncoder::PromptedEncoder(std::unique_ptr<const Encoder> encoder, const PromptConfig& config,
                                 const Weights& weights, ops::DType dtype)
    : Encoder(encoder->config()),
      encoder_(std::move(encoder)),
      layers_(readLayers(config, weights, this->config().dModel, dtype)) {}

std::vector<EncodedPiece> PromptedEncoder::encode(std::vector<EncoderPiece> pieces, const CancelFlag& cancel) const {
  std::vector<int> prompts;
  for (const EncoderPiece& piece : pieces) prompts.push_back(piece.context.prompt);
  std::vector<EncodedPiece> encoded = encoder_->encode(std::move(pieces), cancel);
  std::vector<FrameRows> rows;
  for (const EncodedPiece& piece : encoded) rows.push_back(piece.encoded);
  rows = prompted(rows, prompts);
  for (size_t i = 0; i < encoded.size(); i++) encoded[i].encoded = rows[i];
  return encoded;
}

std::vector<FrameRows> PromptedEncoder::encode(const std::vector<const Matrix*>& signals, const Context& context,
                                               const CancelFlag& cancel) const {
  const std::vector<FrameRows> encoded = encoder_->encode(signals, context, cancel);
  return prompted(encoded, std::vector<int>(encoded.size(), context.prompt));
}

std::vector<FrameRows> PromptedEncoder::prompted(const std::vector<FrameRows>& encoded,
                                                 const std::vector<int>& prompts) const {
  std::vector<mx::array> frames;
  std::vector<int32_t> languages;
  std::vector<FrameRows> rows;
  int count = 0;
  for (size_t i = 0; i < encoded.size(); i++) {
    if (prompts[i] < 0 || prompts[i] >= layers_.languages.shape(0)) {
      throw Error("ERR_PARAKEET_INVALID_ARGUMENT", "Expected the number of a language from 0 to " +
                                                       std::to_string(layers_.languages.shape(0) - 1) +
                                                       " but received " + std::to_string(prompts[i]));
    }
    rows.push_back({layers_.languages, count, encoded[i].count});
    if (encoded[i].count == 0) continue;
    frames.push_back(encoded[i].array());
    languages.insert(languages.end(), static_cast<size_t>(encoded[i].count), prompts[i]);
    count += encoded[i].count;
  }
  if (frames.empty()) return rows;
  const mx::array joined = mx::contiguous(frames.size() == 1 ? frames[0] : mx::concatenate(frames, 0));
  const mx::array language = mx::take(layers_.languages, mx::array(languages.begin(), {count}, mx::int32), 0);
  const mx::array all = layers_.out(mx::maximum(layers_.in(joined) + language, mx::array(0.0f)));
  mx::eval(all);
  for (FrameRows& own : rows) own.matrix = all;
  return rows;
}

}  // namespace parakeet
