#include "engine/sessions.h"

#include "model/error.h"
#include "model/mutant.h"

namespace parakeet {

Matrix MelSession::push(const std::vector<float>& samples) {
  std::vector<float> data;
  stream_.push(samples.data(), samples.size(), data);
  return frames(std::move(data));
}

Matrix MelSession::finish(size_t flush) {
  std::vector<float> data;
  stream_.finish(mutant("flush-removed") ? 0 : flush, data);
  return frames(std::move(data));
}

Matrix MelSession::frames(std::vector<float> data) const {
  const int rows = static_cast<int>(data.size()) / features_;
  return {std::move(data), rows, features_};
}

std::optional<Ticket> EncoderSession::step(const CancelFlag& cancel) {
  std::optional<EncodedStep> step = stream_->step(cancel);
  if (!step) return std::nullopt;
  const Ticket ticket{next_++, step->firstFrame, step->finalEnd - step->firstFrame, step->seenEnd - step->finalEnd};
  tickets_.emplace(ticket.number, std::move(*step));
  return ticket;
}

EncodedStep EncoderSession::take(int ticket) {
  auto node = tickets_.extract(ticket);
  if (node.empty()) {
    throw Error("ERR_PARAKEET_INVALID_ARGUMENT",
                "Expected a ticket that is not decoded yet but received " + std::to_string(ticket));
  }
  return std::move(node.mapped());
}

Decoded DecoderSession::decode(const EncodedStep& step, bool draft) {
  Decoded decoded;
  const DecoderFrames frames = decoder_->prepare(step.encoded, step.firstRow);
  state_->decode(frames, step.finalEnd, step.lastTokenStart, decoded.final);
  if (step.last) {
    state_->finish(step.lastTokenStart, decoded.final);
  } else if (draft) {
    const auto copy = state_->clone();
    copy->decode(frames, step.seenEnd, step.seenEnd, decoded.draft);
    copy->finish(step.seenEnd, decoded.draft);
  }
  return decoded;
}

}  // namespace parakeet
