// The mel frames of a stream that its encoder still needs, and their levels, by their number in the stream.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/mel_frames.h"
#include "model/speech_level.h"

namespace parakeet {

class MelBuffer {
 public:
  explicit MelBuffer(int features) : features_(features) {}

  void push(const MelFrames& frames) {
    const Matrix& logMel = frames.logMel;
    values_.insert(values_.end(), logMel.data.begin(), logMel.data.end());
    if (frames.levels.empty())
      appendLevels(logMel.data.data(), logMel.rows, features_, levels_);
    else
      levels_.insert(levels_.end(), frames.levels.begin(), frames.levels.end());
    end_ += logMel.rows;
  }
  // Frees the frames before `index`.
  void dropBefore(int64_t index) {
    index = std::min(index, end_);
    if (index <= first_) return;
    values_.erase(values_.begin(), values_.begin() + (index - first_) * features_);
    levels_.erase(levels_.begin(), levels_.begin() + (index - first_));
    first_ = index;
  }

  // Frames [first, end) are there.
  int64_t first() const { return first_; }
  int64_t end() const { return end_; }
  const float* frame(int64_t index) const { return values_.data() + (index - first_) * features_; }
  float level(int64_t index) const { return levels_[index - first_]; }

  template <class Archive>
  void archive(Archive& archive) {
    archive(values_, levels_, first_, end_);
  }
  // Of a snapshot.
  bool valid() const {
    return first_ >= 0 && end_ >= first_ && levels_.size() == static_cast<size_t>(end_ - first_) &&
           values_.size() == levels_.size() * features_;
  }

 private:
  int features_;
  std::vector<float> values_, levels_;
  int64_t first_ = 0, end_ = 0;
};

}  // namespace parakeet
