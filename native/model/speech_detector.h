// Voice activity detection, from the loudness of frames alone: a level above the room's noise, at any gain. Tuned for
// recall: it takes a slamming door for speech, and reports the end of speech only after a pause. It does not judge
// words; the model does.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace parakeet {

// The beginning or the end of speech. `frame`: the first mel frame of the sound, or the first one after it.
struct SpeechChange {
  int64_t frame = 0;
  bool speech = false;
};

class SpeechDetector {
 public:
  // `hangover`: mel frames of quiet after which speech is over.
  explicit SpeechDetector(int hangover) : hangover_(hangover) {}

  // Takes the level of the next mel frame (speech_level.h).
  std::optional<SpeechChange> add(float level);

  // Whether the last frame was louder than the quietest of the last seconds, however quiet it is: this detects a
  // distant speaker after a near one.
  bool aboveFloor() const { return aboveFloor_; }
  bool speech() const { return speech_; }
  // The frame at which the end of speech was detected; −1 during speech. No frame from there on contains speech.
  int64_t quietFrom() const { return speech_ ? -1 : decided_; }

  template <class Archive>
  void archive(Archive& archive) {
    archive(frames_, sounding_, decided_, lastLoud_, loudRun_, quietest_, loudest_, speech_);
  }

 private:
  // A frame this much above the floor counts as sound.
  static constexpr float margin = 1.5f;
  // The floor is the quietest frame of the last seconds of sound (minimum statistics: Martin 2001): speech has gaps,
  // room noise does not.
  static constexpr int floorSeconds = 4;
  // Reported speech is at most this much (43 dB) below the loudest frame of those seconds: where pauses are almost
  // digital silence, any room noise would be reported otherwise.
  static constexpr float range = 10;
  static constexpr int framesPerSecond = 100;
  // Consecutive loud frames that count as speech; a single click does not.
  static constexpr int attack = 3;

  int hangover_;
  int64_t frames_ = 0, decided_ = 0, lastLoud_ = -1;
  int64_t sounding_ = 0;  // frames that were not digital silence
  int loudRun_ = 0;
  std::array<float, floorSeconds + 1> quietest_{}, loudest_{};  // of each second; the last one is still running
  bool speech_ = false, aboveFloor_ = false;
};

}  // namespace parakeet
