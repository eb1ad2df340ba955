#include "model/model.h"

#include <algorithm>

#include "model/ctc_head.h"
#include "model/emission.h"
#include "model/error.h"
#include "model/normalization.h"
#include "model/transducer.h"

namespace parakeet {
namespace {

// Digital silence at an end of a recording that is this long is not part of the signal: it would shift every feature.
constexpr double silenceCutSeconds = 1.0;

struct Sound {
  int64_t begin = 0, end = 0;  // samples; `begin` lies on a frame
};

Sound soundOf(const std::vector<float>& samples, const ModelConfig& config) {
  const auto count = static_cast<int64_t>(samples.size());
  int64_t first = 0, last = count;
  while (first < count && samples[first] == 0.0f) first++;
  if (first == count) return {};
  while (samples[last - 1] == 0.0f) last--;
  const auto cut = static_cast<int64_t>(silenceCutSeconds * config.preprocessor.sampleRate);
  const int64_t frame = static_cast<int64_t>(config.preprocessor.hop) * config.encoder.subsamplingFactor;
  return {first > cut ? first / frame * frame : 0, count - last > cut ? last : count};
}

int64_t lastSoundFrame(const Matrix& mel, int until) {
  for (int m = until - 1; m >= 0; m--) {
    if (!silentFrame(mel.data.data() + static_cast<size_t>(m) * mel.columns, mel.columns)) return m;
  }
  return -1;
}

}  // namespace

Model::Model(ModelConfig config, const Weights& weights, ops::DType dtype, const CancelFlag& cancel)
    : config_(std::move(config)),
      filters_(std::make_shared<const MelFilters>(config_.preprocessor)),
      encoder_(std::make_shared<const Encoder>(config_.encoder, weights, dtype, cancel)) {
  if (config_.hasTransducer()) {
    transducer_ = std::make_shared<const Transducer>(config_, weights, ops::atLeastBfloat16(dtype));
    greedy_ = config_.durations.empty() ? makeRnntDecoder(transducer_, config_) : makeTdtDecoder(transducer_, config_);
  }
  if (config_.hasCtc()) {
    const std::string prefix = config_.architecture == Architecture::ctc ? "decoder" : "ctc_decoder";
    ctcHead_ = std::make_shared<const CtcHead>(prefix + ".decoder_layers.0", config_, weights, dtype);
    greedyCtc_ = makeCtcDecoder(ctcHead_);
  }
}

std::shared_ptr<const Decoder> Model::decoder(const Decoding& decoding) const {
  const auto& [head, beam, boost] = decoding;
  const bool tdt = !config_.durations.empty();
  const bool has = head == Head::ctc ? ctcHead_ != nullptr : transducer_ && (head == Head::tdt) == tdt;
  if (!has) {
    const char* names[] = {"tdt", "rnnt", "ctc"};
    throw Error("ERR_PARAKEET_INVALID_ARGUMENT",
                std::string("This model has no ") + names[static_cast<int>(head)] + " head");
  }
  if (!beam) return head == Head::ctc ? greedyCtc_ : greedy_;
  if (head == Head::ctc) return makeCtcBeamDecoder(ctcHead_, *beam);
  return tdt ? makeTdtBeamDecoder(transducer_, config_, *beam) : makeRnntBeamDecoder(transducer_, config_, *beam);
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
  for (int m = 0; m < frames; m++) statistics.add(logMel.data.data() + static_cast<size_t>(m) * logMel.columns);
  Matrix features{{}, logMel.rows, logMel.columns};
  normalizeFrames(logMel.data.data(), logMel.rows, statistics.statistics(), features.data);
  return features;
}

Tokens Model::decode(const Matrix& encoded, const Decoding& decoding, int64_t lastStart) const {
  const auto decoder = this->decoder(decoding);
  const auto state = decoder->start();
  state->boosting.set(decoding.boost);
  Tokens tokens;
  const DecoderFrames frames{decoder->prepare(encoded), 0};
  decoder->decode({{state.get(), &frames, encoded.rows, lastStart, &tokens}});
  state->finish(tokens);
  return tokens;
}

Tokens Model::transcribe(const std::vector<float>& samples, const OfflineOptions& options,
                         const CancelFlag& cancel) const {
  const Sound sound = soundOf(samples, config_);
  if (sound.begin == sound.end) return {};  // nothing but digital silence
  const std::vector<float> heard(samples.begin() + sound.begin, samples.begin() + sound.end);
  const Matrix mel = logMel(heard, options.flush, cancel);
  const int real = static_cast<int>(heard.size()) / config_.preprocessor.hop;
  const Matrix encoded = encoder_->encode(normalize(mel, real), options.context, cancel);
  const int factor = config_.encoder.subsamplingFactor;
  const int64_t last =
      mel.rows > real ? lastTokenStart(lastSoundFrame(mel, real), factor, options.emissionDelay) : noLimit;
  cancel.check();
  Tokens tokens = decode(encoded, options.decoding, last);
  const int64_t skipped = sound.begin / (static_cast<int64_t>(factor) * config_.preprocessor.hop);
  for (Token& token : tokens) token.start += skipped;
  return tokens;
}

}  // namespace parakeet
