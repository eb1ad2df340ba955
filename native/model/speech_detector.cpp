#include "model/speech_detector.h"

#include <algorithm>

#include "model/speech_level.h"

namespace parakeet {

std::optional<SpeechChange> SpeechDetector::add(float level) {
  const int64_t now = frames_++;
  bool loud = false;
  if (level != noSound) {
    // The start of a stream counts as speech until it turns out to be room noise, so the first word is never missed.
    const bool first = sounding_ == 0;
    if (sounding_++ % framesPerSecond == 0) {
      std::shift_left(quietest_.begin(), quietest_.end(), 1);
      std::shift_left(loudest_.begin(), loudest_.end(), 1);
      quietest_.back() = loudest_.back() = level;
    }
    if (first) {
      quietest_.fill(level);
      loudest_.fill(level);
    }
    quietest_.back() = std::min(quietest_.back(), level);
    loudest_.back() = std::max(loudest_.back(), level);
    const float floor = *std::min_element(quietest_.begin(), quietest_.end());
    const float highest = *std::max_element(loudest_.begin(), loudest_.end());
    aboveFloor_ = first || level > floor + margin;
    loud = first || level > std::max(floor, highest - range) + margin;
    if (first) loudRun_ = attack - 1;
  }
  loudRun_ = loud ? loudRun_ + 1 : 0;
  if (loud) lastLoud_ = now;
  if (!speech_ && loudRun_ >= attack) {
    speech_ = true;
    return SpeechChange{std::max<int64_t>(0, now - attack + 1), true};
  }
  if (speech_ && now - lastLoud_ >= hangover_) {
    speech_ = false;
    decided_ = now + 1;
    return SpeechChange{lastLoud_ + 1, false};
  }
  return std::nullopt;
}

}  // namespace parakeet
