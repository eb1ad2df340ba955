// What is heard in one go, a whole recording or a window of one: as many at once as there are, up to a number of
// frames.
#pragma once

#include <deque>
#include <functional>

#include "engine/batcher.h"
#include "engine/batches.h"
#include "model/model.h"

namespace parakeet {

struct RecordingRequest {
  std::function<const Model&()> model;  // throws when it is closed
  std::function<Heard(const Model&, const CancelFlag&)> listen;
  int frames = 0;  // of encoder output that it will give, about
  Context context;
  Decoding decoding;
  Waiter<Tokens> waiter;
};

// Takes requests from the front and settles them: signals of one model that are heard in one way, up to `mostFrames` of
// them (at least one). One that fails takes no other with it, and neither does one that is given up: the others are
// heard again without it.
void runRecordings(std::deque<RecordingRequest>& waiting, int mostFrames, BatchCounts& counts);

}  // namespace parakeet
