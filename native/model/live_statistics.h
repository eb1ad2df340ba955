// The statistics that normalise a live stream: the level of the speech, and at that level each feature's mean and
// deviation. Both are decaying averages, so they follow speakers, rooms and microphones; the level, which changes from
// one speaker to the next, decays faster. Not the speech events that the user sees (speech_detector.h).
#pragma once

#include <cstdint>
#include <vector>

#include "model/normalization.h"

namespace parakeet {

// A mel frame, its loudness (speech_level.h), and whether that is above the noise (speech_detector.h).
struct SoundFrame {
  std::vector<float> logMel;
  float loudness = 0;
  uint8_t loud = false;
  uint8_t dipBefore = false, dipAfter = false;  // whether a frame near it is much quieter

  template <class Archive>
  void archive(Archive& archive) {
    archive(logMel, loudness, loud, dipBefore, dipAfter);
  }
};

class LiveStatistics {
 public:
  explicit LiveStatistics(int features);
  // Starts as if `frames` frames with these statistics had been seen. Only the shape of the means is used; the level is
  // taken from the first speech.
  void assume(const Statistics& prior, int frames);
  // The frames that are new in a step, without digital silence.
  void add(std::vector<SoundFrame> frames);
  bool ready() const { return newest_.heard >= 2; }
  // Appends `count` normalised frames; call it only when ready.
  void normalize(const float* logMel, int count, std::vector<float>& out) const;

  template <class Archive>
  void archive(Archive& archive) {
    archive(recent_, undecided_, settled_, newest_);
  }
  bool valid() const;

 private:
  // Sound that is much louder than the speech so far is attributed to a new speaker if its level varies as syllables
  // do, with quieter frames in the half second before and in the half second after. Otherwise it is treated as noise
  // and ignored.
  static constexpr size_t dipFrames = 50;
  static constexpr float dip = 1.5f;
  static constexpr float louder = 3;
  // Quiet frames after a loud one that still count for the shape: pauses within an utterance are part of its
  // statistics, pauses between utterances must not dominate them.
  static constexpr int pauseFrames = 80;
  // Time constants in mel frames of speech, measured on word error rate (docs/latency-and-accuracy.md).
  static constexpr double levelFrames = 300;
  static constexpr double shapeFrames = 1500;
  // The level to which speech is normalised before its shape is measured: that of ordinary recordings, where the log
  // guard has the same effect as in training.
  static constexpr double referenceLevel = -9.5;
  // How far the loud frames of speech lie above the mean of all its frames, measured on recordings.
  static constexpr double loudAboveMean = 0.5;

  struct Averages {
    double level = 0, levelWeight = 0;
    int32_t sinceLoud = 0;              // frames since the last loud one
    int64_t heard = 0;                  // frames that counted for the shape
    double weight = 0;                  // of mean and squares
    std::vector<double> mean, squares;  // `squares`: sums of squared differences from the mean

    // Levels are updated before shapes, so that a speaker who begins within these frames is measured at their own
    // level.
    void add(const std::vector<SoundFrame>& frames);
    void addShape(const float* logMel);
    float gain() const { return static_cast<float>(referenceLevel - level); }

    template <class Archive>
    void archive(Archive& archive) {
      archive(level, levelWeight, sinceLoud, heard, weight, mean, squares);
    }
  };

  size_t features_;
  std::vector<float> recent_;          // loudness of the last frames
  std::vector<SoundFrame> undecided_;  // the last frames, from the first one that a dip may still follow
  Averages settled_;                   // of all frames before those
  Averages newest_;                    // and of those, as if it did follow
};

}  // namespace parakeet
