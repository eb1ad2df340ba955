#include "engine/encoder_session.h"

#include <stdexcept>
#include <string>

#include "error.h"

namespace parakeet {

Ticket EncoderSession::keep(PlannedStep planned, std::optional<EncodedPiece> encoded, int batch) {
  EncodedStep step = commit(std::move(planned), std::move(encoded));
  const Ticket ticket{next_++,    step.firstFrame, step.finalEnd - step.firstFrame, step.seenEnd - step.finalEnd,
                      step.grown, batch,           std::move(step.changes),         position()};
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

}  // namespace parakeet
