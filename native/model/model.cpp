#include "model/model.h"

#include "model/emission.h"
#include "model/error.h"
#include "model/normalization.h"
#include "model/transducer.h"

namespace parakeet {

Model::Model(ModelConfig config, const Weights& weights, const CancelFlag& cancel)
    : config_(std::move(config)),
      filters_(std::make_shared<const MelFilters>(config_.preprocessor)),
      encoder_(std::make_shared<const Encoder>(config_.encoder, weights, cancel)) {
  if (config_.hasTransducer()) {
    auto transducer = std::make_shared<const Transducer>(config_, weights);
    transducer_ = config_.durations.empty() ? makeRnntDecoder(transducer, config_) : makeTdtDecoder(transducer, config_);
  }
  if (config_.hasCtc()) {
    const std::string prefix = config_.architecture == Architecture::ctc ? "decoder" : "ctc_decoder";
    ctc_ = makeCtcDecoder(prefix + ".decoder_layers.0", config_, weights);
  }
}

std::shared_ptr<const Decoder> Model::decoder(Head head) const {
  const bool tdt = !config_.durations.empty();
  const auto& found = head == Head::ctc ? ctc_ : (head == Head::tdt) == tdt ? transducer_ : nullptr;
  if (!found) {
    const char* names[] = {"tdt", "rnnt", "ctc"};
    throw Error("ERR_PARAKEET_INVALID_ARGUMENT", std::string("This model has no ") + names[static_cast<int>(head)] + " head");
  }
  return found;
}

Matrix Model::logMel(const std::vector<float>& samples, size_t flush, const CancelFlag& cancel) const {
  LogMelStream stream(filters_);
  Matrix mel{{}, 0, config_.preprocessor.features};
  constexpr size_t piece = 160000;
  for (size_t at = 0; at < samples.size(); at += piece) {
    cancel.check();
    stream.push(samples.data() + at, std::min(piece, samples.size() - at), mel.data);
  }
  stream.finish(flush, mel.data);
  mel.rows = static_cast<int>(mel.data.size() / mel.columns);
  return mel;
}

Matrix Model::normalize(const Matrix& logMel, int frames) const {
  RunningStatistics statistics(logMel.columns);
  for (int m = 0; m < frames; m++) {
    const float* frame = logMel.data.data() + static_cast<size_t>(m) * logMel.columns;
    if (!silentFrame(frame, logMel.columns)) statistics.add(frame);
  }
  Matrix features{{}, logMel.rows, logMel.columns};
  if (statistics.count() < 2) {
    features.data.assign(logMel.data.size(), 0.0f);
  } else {
    normalizeFrames(logMel.data.data(), logMel.rows, statistics.statistics(), features.data);
  }
  return features;
}

Tokens Model::decode(const Matrix& encoded, Head head, int64_t lastStart) const {
  const auto decoder = this->decoder(head);
  const auto state = decoder->start();
  Tokens tokens;
  state->decode(decoder->prepare(encoded, 0), encoded.rows, lastStart, tokens);
  state->finish(lastStart, tokens);
  return tokens;
}

Tokens Model::transcribe(const std::vector<float>& samples, const OfflineOptions& options, const CancelFlag& cancel) const {
  const Matrix mel = logMel(samples, options.flush, cancel);
  const int real = static_cast<int>(samples.size() / config_.preprocessor.hop);
  int64_t lastSound = -1;
  for (int m = 0; m < real; m++) {
    if (!silentFrame(mel.data.data() + static_cast<size_t>(m) * mel.columns, mel.columns)) lastSound = m;
  }
  if (lastSound < 0) return {};  // nothing but digital silence
  const Matrix encoded = encoder_->encode(normalize(mel, real), options.context, cancel);
  const int64_t last =
      mel.rows > real ? lastTokenStart(lastSound, config_.encoder.subsamplingFactor, options.emissionDelay) : noLimit;
  cancel.check();
  return decode(encoded, options.head, last);
}

}  // namespace parakeet
