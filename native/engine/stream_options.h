// How one stream is encoded.
#pragma once

#include <variant>

#include "model/encoder.h"
#include "model/normalization.h"

namespace parakeet {

// Statistics that follow the stream, initialised with a prior that counts as this many mel frames.
struct RunningNormalization {
  Statistics prior;
  int frames = 0;
};
struct NoNormalization {};
using Normalization = std::variant<RunningNormalization, NoNormalization, Statistics>;

// When tokens become final before their lookahead is there.
struct Agreement {
  int drafts = 0;        // in a row that must agree on a token; 0 for never, otherwise at least 2
  int lookahead = 0;     // frames that the step must have seen after the token's first one
  float confidence = 0;  // that each of the drafts must have in it
};

struct StreamOptions {
  int chunk = 1;      // frames that become final at each step, at least 1
  int lookahead = 0;  // frames of right context before a frame is final; 0 of a cache-aware model
  Agreement agreement;
  Context context;  // attention
  int cache = 0;    // final frames whose keys and values are kept
  Normalization normalization = RunningNormalization{};
  int emissionDelay = 0;  // frames after the last sound within which a token may begin, at the flush
  int hangover = 80;      // mel frames of quiet after which speech is over
  bool gate = false;      // whether the model sleeps while nobody speaks
  int grow = 1;           // most steps of the grid that are taken as one when several are due
  int history = 0;        // mel frames that can be recalled, besides those that are needed
  Context recall;         // attention when they are heard again
};

}  // namespace parakeet
