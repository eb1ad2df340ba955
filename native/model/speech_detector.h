// Where somebody speaks, from the loudness of log-mel frames alone: a level above the room's noise. Made to miss
// nothing rather than to be strict: it takes a door's slam for speech, and says that speech is over only after a pause.
// Not a judgement of words; the model makes that.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace parakeet {

// A beginning or an end of speech. `frame`: the first mel frame of the sound, or the first one after it.
struct SpeechChange {
  int64_t frame = 0;
  bool speech = false;
};

class SpeechDetector {
 public:
  // `hangover`: mel frames of quiet after which speech is over.
  SpeechDetector(int features, int hangover) : features_(features), hangover_(hangover) {}

  // Hears the next mel frame (natural logarithms of power, not normalised).
  std::optional<SpeechChange> add(const float* frame, bool digitalSilence);

  bool speech() const { return speech_; }
  // The frame at which speech was known to be over; −1 while there is some. Frames from it on hold none.
  int64_t quietFrom() const { return speech_ ? -1 : decided_; }

  template <class Archive>
  void archive(Archive& archive) {
    archive(frames_, decided_, lastLoud_, loudRun_, quietest_, speech_, heard_);
  }

 private:
  // A level is the mean over the bands of ln(power): 1 is 4.3 dB. Above the floor by this much, it is a sound.
  static constexpr float margin = 1.5f;
  // The floor is the quietest frame of the last seconds (minimum statistics: Martin 2001): speech has gaps, a room has
  // not.
  static constexpr int floorSeconds = 4;
  static constexpr int framesPerSecond = 100;
  // Loud frames in a row that are speech; a single click is not.
  static constexpr int attack = 3;

  int features_, hangover_;
  int64_t frames_ = 0, decided_ = 0, lastLoud_ = -1;
  int loudRun_ = 0;
  std::array<float, floorSeconds + 1> quietest_{};  // of each second; the last one is not over
  bool speech_ = false;
  bool heard_ = false;  // any sound at all
};

}  // namespace parakeet
