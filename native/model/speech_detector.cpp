#include "model/speech_detector.h"

#include <algorithm>
#include <numeric>

namespace parakeet {

std::optional<SpeechChange> SpeechDetector::add(const float* frame, bool digitalSilence) {
  const int64_t now = frames_++;
  bool loud = false;
  if (!digitalSilence) {
    const float level = std::accumulate(frame, frame + features_, 0.0f) / static_cast<float>(features_);
    // Whatever begins a stream counts as speech until it has proved to be the room: nobody waits for the first word.
    const bool first = !heard_;
    heard_ = true;
    if (first) quietest_.fill(level);
    if (now % framesPerSecond == 0) {
      std::shift_left(quietest_.begin(), quietest_.end(), 1);
      quietest_.back() = level;
    }
    quietest_.back() = std::min(quietest_.back(), level);
    loud = first || level > *std::min_element(quietest_.begin(), quietest_.end()) + margin;
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
