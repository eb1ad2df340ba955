// How loud log-mel frames are, and the same frames at another level. Both undo NeMo's log guard, ln(mel + 2^-24), which
// is what makes the features of quiet sound differ by more than a constant. Not whether a frame is speech
// (speech_detector.h).
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

namespace parakeet {

// The mean over the bands of ln(power), without the guard. Levels are natural logarithms of power: 1 is 4.3 dB.
float loudness(const float* frame, int features);

// The level of digital silence.
constexpr float noSound = -std::numeric_limits<float>::infinity();
// The loudness of a frame; noSound for digital silence.
float levelOf(const float* frame, int features);
// Appends the levels of `count` frames.
void appendLevels(const float* frames, int count, int features, std::vector<float>& levels);

// Appends what the log-mel of `values` bands would be if the sound had exp(gain) times its power.
void amplify(const float* logMel, size_t values, float gain, std::vector<float>& out);

}  // namespace parakeet
