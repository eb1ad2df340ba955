// Whole recordings, or windows of them, with full context: as many in one batch as are waiting, up to a number of
// frames.
#pragma once

#include <deque>
#include <functional>

#include "engine/batcher.h"
#include "engine/batches.h"
#include "model/model.h"

namespace parakeet {

struct RecordingRequest {
  std::function<const Model&()> model;  // throws if it is closed
  std::function<Heard(const Model&, const CancelFlag&)> listen;
  int frames = 0;  // encoder frames of output, approximately
  Context context;
  Decoding decoding;
  Waiter<Tokens> waiter;
};

// Takes requests from the front and settles them: signals of one model with the same options, up to `mostFrames` frames
// (at least one signal). A failed or cancelled request leaves the batch and the rest is re-run.
void runRecordings(std::deque<RecordingRequest>& waiting, int mostFrames, BatchCounts& counts);

}  // namespace parakeet
