// Log-mel frames on their way from the front end of a stream to its encoder, with what the front end heard in them.
#pragma once

#include <vector>

#include "model/matrix.h"
#include "model/speech_detector.h"

namespace parakeet {

struct MelFrames {
  Matrix logMel;
  std::vector<float> levels;          // of each frame (speech_level.h); none if nobody has measured them yet
  std::vector<SpeechChange> changes;  // decided by these frames
};

}  // namespace parakeet
