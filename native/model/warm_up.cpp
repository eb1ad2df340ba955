// What a GPU runs before the first signal comes: MLX compiles most kernels when they are first used, each in seconds,
// and keeps them on disk (MLX_PTX_CACHE_DIR). Kernels depend on types and on numbers of dimensions; what depends on
// sizes as well is prepared in milliseconds and is not used by live steps.
#include <random>

#include "model/model.h"

namespace parakeet {
namespace {

// Streams and signals: as many as the decoder's kernels take, and so many that it does without.
constexpr int together[] = {1, 2, 4, 8, 40};
// As the preset 'balanced': frames of a step, of its lookahead, and of the cache, which is full after so many steps.
constexpr int chunk = 8, lookahead = 13, capacity = 128, steps = capacity / chunk + 1;

// One stream and several: the encoder's kernels depend on no other number.
constexpr bool alsoSteps(int count) { return count <= 2; }

Matrix noise(int rows, int columns) {
  std::minstd_rand random(1);
  std::uniform_real_distribution<float> value(-1.0f, 1.0f);
  Matrix matrix{std::vector<float>(static_cast<size_t>(rows) * columns), rows, columns};
  for (float& one : matrix.data) one = value(random);
  return matrix;
}

}  // namespace

void Model::warmUp(const CancelFlag& cancel) const {
  const int features = config_.preprocessor.features, factor = config_.encoder.subsamplingFactor;
  Context whole;
  if (config_.prompt.prompts > 0) whole.prompt = 0;
  const Decoding decoding{config_.hasTransducer() ? (config_.durations.empty() ? Head::rnnt : Head::tdt) : Head::ctc};
  const Matrix signal = noise(24 * factor, features);
  for (const int count : together) {
    const std::vector<Heard> heard(static_cast<size_t>(count), Heard{signal});
    std::vector<const Heard*> signals;
    for (const Heard& one : heard) signals.push_back(&one);
    recognize(signals, whole, decoding, cancel);
    if (!alsoSteps(count)) continue;
    std::vector<StreamCachePtr> pasts(signals.size());
    for (int step = 0; step < steps; step++) {
      const bool first = step == 0;
      const int rows = (chunk + lookahead) * factor + (first ? 0 : encoder_->melBefore());
      std::vector<EncoderPiece> pieces;
      for (const StreamCachePtr& past : pasts)
        pieces.push_back({noise(rows, features), first, false, {capacity, -1, whole.prompt}, {chunk, capacity}, past});
      std::vector<EncodedPiece> encoded = encoder_->encode(std::move(pieces), cancel);
      for (size_t i = 0; i < pasts.size(); i++) pasts[i] = encoded[i].past;
    }
  }
}

}  // namespace parakeet
