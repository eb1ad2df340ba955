#include "engine/encoder_session.h"

#include <stdexcept>
#include <string>

#include "error.h"

namespace parakeet {

Ticket EncoderSession::keep(PlannedStep planned, std::optional<EncodedPiece> encoded, int batch) {
  EncodedStep step = commit(std::move(planned), std::move(encoded));
  const Ticket ticket{
      next_++, step.firstFrame, step.finalEnd - step.firstFrame, step.seenEnd - step.finalEnd, step.grown,
      batch,   position()};
  tickets_.emplace(ticket.number, std::move(step));
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

void EncoderSession::save(ArchiveWriter& archive) {
  if (!tickets_.empty()) throw std::logic_error("A snapshot was asked for in the middle of a step");
  write(archive);
}

bool EncoderSession::fits(const std::vector<LayerCache>& layers, int frames) const {
  const EncoderConfig& config = encoder_->config();
  if (layers.size() != static_cast<size_t>(config.layers)) return false;
  const int width = config.dModel, before = config.convBefore();
  const auto holds = [width](const std::optional<mlx::core::array>& rows, int most) {
    return !rows || (rows->shape(1) == width && rows->shape(0) <= most);
  };
  for (const LayerCache& cache : layers) {
    if (!holds(cache.keys, frames) || !holds(cache.values, frames) || !holds(cache.convolution, before)) return false;
    const bool all = cache.keys && cache.values && cache.convolution, none = !cache.keys && !cache.values;
    if (!all && !none) return false;
    if (all && (cache.keys->shape(0) != cache.values->shape(0) || cache.convolution->shape(0) != before)) return false;
    if (cache.keys.has_value() != layers[0].keys.has_value()) return false;
    if (cache.keys && cache.keys->shape(0) != layers[0].keys->shape(0)) return false;
  }
  return true;
}

}  // namespace parakeet
