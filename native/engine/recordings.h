// Whole recordings, or windows of them, with full context: as many in one batch as are waiting, up to a number of
// frames.
#pragma once

#include <deque>
#include <exception>
#include <functional>
#include <span>

#include "engine/batcher.h"
#include "engine/batches.h"
#include "model/model.h"

namespace parakeet {

struct RecordingRequest {
  std::function<const Model&()> model;             // throws if it is closed
  std::function<Heard(const CancelFlag&)> listen;  // called once, on any thread
  int frames = 0;                                  // encoder frames of output, approximately
  Context context;
  Decoding decoding;
  Waiter<Tokens> waiter;

  // What listening has given.
  Heard heard{};
  std::exception_ptr failure = nullptr;
};

// Runs the front end of those that it has not run for: several at a time where there are several, else one on all
// cores.
void listenTo(std::span<RecordingRequest> requests);

// Takes requests from the front and settles them: signals of one model with the same options, up to `mostFrames` frames
// (at least one signal). A failed or cancelled request leaves the batch and the rest is re-run.
void runRecordings(std::deque<RecordingRequest>& waiting, int mostFrames, BatchCounts& counts);

}  // namespace parakeet
