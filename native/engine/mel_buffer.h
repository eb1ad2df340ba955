// The mel frames of a stream that its encoder still needs, by their number in the stream.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace parakeet {

class MelBuffer {
 public:
  explicit MelBuffer(int features) : features_(features) {}

  void push(const float* frames, int count) {
    values_.insert(values_.end(), frames, frames + static_cast<size_t>(count) * features_);
    end_ += count;
  }
  // Frees the frames before `index`.
  void dropBefore(int64_t index) {
    index = std::min(index, end_);
    if (index <= first_) return;
    values_.erase(values_.begin(), values_.begin() + (index - first_) * features_);
    first_ = index;
  }

  // Frames [first, end) are there.
  int64_t first() const { return first_; }
  int64_t end() const { return end_; }
  const float* frame(int64_t index) const { return values_.data() + (index - first_) * features_; }

  template <class Archive>
  void archive(Archive& archive) {
    archive(values_, first_, end_);
  }
  // Of a snapshot.
  bool valid() const {
    return first_ >= 0 && end_ >= first_ && values_.size() == static_cast<size_t>(end_ - first_) * features_;
  }

 private:
  int features_;
  std::vector<float> values_;
  int64_t first_ = 0, end_ = 0;
};

}  // namespace parakeet
