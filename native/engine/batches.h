// The two requests of live streams, an encoder step and the decoding of one, each batched over all streams that have
// one waiting.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <optional>

#include "engine/batcher.h"
#include "engine/decoder_session.h"
#include "engine/encoder_session.h"

namespace parakeet {

struct StepRequest {
  std::function<EncoderSession*()> session;  // null once it is closed; throws if making it failed
  Waiter<std::optional<Ticket>> waiter;
};

struct DecodeRequest {
  std::function<DecoderSession*()> session;  // null once it is closed; throws if making it failed
  std::function<EncodedStep()> step;         // taken once
  bool draft;
  Waiter<Decoded> waiter;
};

// How much was batched since the process started.
struct BatchCounts {
  std::atomic<int64_t> batches{0}, steps{0}, frames{0};
  std::atomic<int64_t> recordingBatches{0}, recordings{0};  // whole recordings or windows of them
};

// Each takes requests from the front and settles them.
//
// Frames of one model up to about `mostFrames` (at least one step). A failed step does not fail the others.
void runSteps(std::deque<StepRequest>& waiting, int mostFrames, BatchCounts& counts);
void runDecodes(std::deque<DecodeRequest>& waiting, int most);

}  // namespace parakeet
