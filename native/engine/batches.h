// The two things that live streams ask of the engine, a step of the encoder and the decoding of one, each for as many
// streams at once as there are.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <optional>

#include "engine/batcher.h"
#include "engine/sessions.h"

namespace parakeet {

struct StepRequest {
  std::function<EncoderSession*()> session;  // null once it is closed; throws what kept it from being made
  Waiter<std::optional<Ticket>> waiter;
};

struct DecodeRequest {
  std::function<DecoderSession*()> session;  // null once it is closed; throws what kept it from being made
  std::function<EncodedStep()> step;         // taken once
  bool draft;
  Waiter<Decoded> waiter;
};

// How much was done at once, since the process began.
struct BatchCounts {
  std::atomic<int64_t> batches{0}, steps{0}, frames{0};
  std::atomic<int64_t> recordingBatches{0}, recordings{0};  // whole recordings or windows of them
};

// Each takes requests from the front and settles them.
//
// Frames of one model up to about `mostFrames` (at least one step). A step that fails takes no other with it.
void runSteps(std::deque<StepRequest>& waiting, int mostFrames, BatchCounts& counts);
void runDecodes(std::deque<DecodeRequest>& waiting, int most);

}  // namespace parakeet
