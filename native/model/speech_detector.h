// Voice activity detection, from the loudness of frames alone: a level above the room's noise, at any gain. Made to
// miss nothing rather than to be strict: it takes a door's slam for speech, and says that speech is over only after a
// pause. Not a judgement of words; the model makes that.
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
  explicit SpeechDetector(int hangover) : hangover_(hangover) {}

  // Hears how loud the next mel frame is (speech_level.h); nothing for digital silence.
  std::optional<SpeechChange> add(std::optional<float> loudness);

  // Whether the last frame was louder than the quietest of the last seconds, however quiet that is: so is a speaker who
  // is far away from one who was near.
  bool aboveFloor() const { return aboveFloor_; }
  bool speech() const { return speech_; }
  // The frame at which speech was known to be over; −1 while there is some. Frames from it on hold none.
  int64_t quietFrom() const { return speech_ ? -1 : decided_; }

  template <class Archive>
  void archive(Archive& archive) {
    archive(frames_, sounding_, decided_, lastLoud_, loudRun_, quietest_, loudest_, speech_);
  }

 private:
  // Above the floor by this much, it is a sound.
  static constexpr float margin = 1.5f;
  // The floor is the quietest frame of the last seconds of sound (minimum statistics: Martin 2001): speech has gaps, a
  // room has not.
  static constexpr int floorSeconds = 4;
  // For speech that is told of, at most this much (43 dB) below the loudest frame of those seconds: a recording whose
  // pauses are next to digital silence would make speech of every room.
  static constexpr float range = 10;
  static constexpr int framesPerSecond = 100;
  // Loud frames in a row that are speech; a single click is not.
  static constexpr int attack = 3;

  int hangover_;
  int64_t frames_ = 0, decided_ = 0, lastLoud_ = -1;
  int64_t sounding_ = 0;  // frames that were not digital silence
  int loudRun_ = 0;
  std::array<float, floorSeconds + 1> quietest_{}, loudest_{};  // of each second; the last one is not over
  bool speech_ = false, aboveFloor_ = false;
};

}  // namespace parakeet
