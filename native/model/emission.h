// How late a token may begin: models emit a word a few frames after it was spoken, so its token may lie in the silence
// that flushes out the last word, but nothing that begins later is speech.
#pragma once

#include <cstdint>

namespace parakeet {

// The last frame at which a token may begin, when the signal was flushed. `lastSound`: last mel frame that is not
// digital silence, -1 if there is none: then no frame.
inline int64_t lastTokenStart(int64_t lastSound, int subsamplingFactor, int emissionDelay) {
  return lastSound < 0 ? -1 : lastSound / subsamplingFactor + emissionDelay;
}

}  // namespace parakeet
