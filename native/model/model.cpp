#include "model/model.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "error.h"
#include "model/ctc_head.h"
#include "model/device_greedy.h"
#include "model/transducer.h"
#include "ops/device.h"

namespace parakeet {
namespace {

// Where greedy decoding takes place; null for the CPU. PARAKEET_DECODER (host | device) overrides the choice, for tests
// and measurements.
std::shared_ptr<const DeviceGreedy> makeDeviceGreedy(const ModelConfig& config, const Weights& weights,
                                                     ops::DType dtype) {
  const char* named = std::getenv("PARAKEET_DECODER");
  const std::string_view wanted = named ? named : "";
  if (wanted == "device") return std::make_shared<const DeviceGreedy>(config, weights, dtype, 1);
  if (wanted == "host" || !ops::onGpu()) return nullptr;
  return std::make_shared<const DeviceGreedy>(config, weights, dtype);
}

}  // namespace

Model::Model(ModelConfig config, const Weights& weights, ops::DType dtype, const CancelFlag& cancel)
    : config_(std::move(config)),
      filters_(std::make_shared<const MelFilters>(config_.preprocessor)),
      encoder_(makeEncoder(config_, weights, dtype, cancel)) {
  if (config_.hasTransducer()) {
    transducer_ = std::make_shared<const Transducer>(config_, weights, ops::atLeastBfloat16(dtype));
    deviceGreedy_ = makeDeviceGreedy(config_, weights, dtype);
  }
  if (config_.hasCtc()) {
    const std::string prefix = config_.architecture == Architecture::ctc ? "decoder" : "ctc_decoder";
    ctcHead_ = std::make_shared<const CtcHead>(prefix + ".decoder_layers.0", config_, weights, dtype);
  }
}

std::shared_ptr<const Decoder> Model::decoder(const Decoding& decoding) const {
  const Head head = decoding.head;
  const bool tdt = !config_.durations.empty();
  const bool has = head == Head::ctc ? ctcHead_ != nullptr : transducer_ && (head == Head::tdt) == tdt;
  if (!has) {
    const char* names[] = {"tdt", "rnnt", "ctc"};
    throw Error("ERR_PARAKEET_INVALID_ARGUMENT",
                std::string("This model has no ") + names[static_cast<int>(head)] + " head");
  }
  std::erase_if(decoders_, [](const auto& one) { return one.second.expired(); });
  for (const auto& [way, shared] : decoders_)
    if (way.inOneWay(decoding)) return shared.lock();
  std::shared_ptr<Decoder> made = makeDecoder(decoding);
  made->fuse(decoding.lm);
  made->measureBy(decoding.measure);
  decoders_.emplace_back(decoding, made);
  decoders_.back().first.boost = nullptr;
  return made;
}

std::shared_ptr<Decoder> Model::makeDecoder(const Decoding& decoding) const {
  const auto& beam = decoding.beam;
  const bool tdt = !config_.durations.empty();
  if (decoding.head == Head::ctc) return beam ? makeCtcBeamDecoder(ctcHead_, *beam) : makeCtcDecoder(ctcHead_);
  if (!beam) {
    // A language model is the CPU's.
    const auto device = decoding.lm ? nullptr : deviceGreedy_;
    return tdt ? makeTdtDecoder(transducer_, config_, device) : makeRnntDecoder(transducer_, config_, device);
  }
  if (beam->search == BeamSearch::parakeetMlx) return makeParakeetMlxBeamDecoder(transducer_, config_, *beam);
  return tdt ? makeTdtFrameBeamDecoder(transducer_, config_, *beam) : makeRnntBeamDecoder(transducer_, config_, *beam);
}

Tokens Model::decode(const FrameRows& encoded, const Decoding& decoding, const CancelFlag& cancel) const {
  return std::move(decode(std::vector<Encoded>{{encoded, noLimit, 0, decoding.boost}}, decoding, cancel)[0]);
}

std::vector<Tokens> Model::decode(const std::vector<Encoded>& signals, const Decoding& decoding,
                                  const CancelFlag& cancel) const {
  const auto decoder = this->decoder(decoding);
  const int piece = decoder->piece();
  std::vector<std::unique_ptr<DecoderState>> states;
  int longest = 0;
  for (const Encoded& own : signals) {
    states.push_back(decoder->start());
    states.back()->boosting.set(own.boost);
    longest = std::max(longest, own.frames.count);
  }
  std::vector<Tokens> tokens(signals.size());
  for (int first = 0; first < longest; first += piece) {
    cancel.check();
    std::vector<size_t> going;
    std::vector<FrameRows> parts;
    for (size_t i = 0; i < signals.size(); i++) {
      const FrameRows& own = signals[i].frames;
      if (first >= own.count) continue;
      going.push_back(i);
      parts.push_back(own.part(first, std::min(piece, own.count - first)));
    }
    std::vector<DecoderFrames> frames;
    for (FrameRows& rows : decoder->prepare(parts)) frames.push_back({std::move(rows), first});
    std::vector<DecoderJob> jobs;
    for (size_t k = 0; k < going.size(); k++) {
      const size_t i = going[k];
      jobs.push_back({states[i].get(), &frames[k], frames[k].end(), signals[i].lastStart, &tokens[i]});
    }
    decoder->decode(jobs);
  }
  for (size_t i = 0; i < signals.size(); i++) {
    states[i]->finish(tokens[i]);
    for (Token& token : tokens[i]) token.start += signals[i].skipped;
  }
  return tokens;
}

std::vector<Model::Encoded> Model::encode(const std::vector<const Heard*>& signals, const Context& context,
                                          const CancelFlag& cancel) const {
  std::vector<Encoded> encoded;
  std::vector<const Matrix*> features;
  std::vector<size_t> sounding;
  for (size_t i = 0; i < signals.size(); i++) {
    encoded.push_back({{}, signals[i]->lastStart, signals[i]->skipped, signals[i]->boost});
    if (signals[i]->features.rows == 0) continue;
    sounding.push_back(i);
    features.push_back(&signals[i]->features);
  }
  if (sounding.empty()) return encoded;
  std::vector<FrameRows> frames = encoder_->encode(features, context, cancel);
  for (size_t k = 0; k < sounding.size(); k++) encoded[sounding[k]].frames = std::move(frames[k]);
  return encoded;
}

std::vector<Tokens> Model::recognize(const std::vector<const Heard*>& signals, const Context& context,
                                     const Decoding& decoding, const CancelFlag& cancel) const {
  return decode(encode(signals, context, cancel), decoding, cancel);
}

}  // namespace parakeet
