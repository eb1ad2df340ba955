// Whether a step of a live stream can be due, judged by what its caller has pushed: most pushes complete none, and then
// there is no need to ask the engine. Not the plan of a step: that is EncoderSession::plan().
#pragma once

#include <algorithm>
#include <cstdint>

namespace parakeet {

// How far a stream has come, as the engine knows it.
struct StreamPosition {
  int64_t melFrames = 0;    // pushed
  int64_t finalFrames = 0;  // encoder frames that are final
  bool ending = false;      // it was ended or flushed, and the steps of that have not all run
};

// Steps lie on a grid: the next one needs `ahead` encoder frames (chunk + lookahead) after the last final frame, of the
// last of which it does not need the last `spare` mel frames. What ends a signal makes steps due off the grid. Used on
// the caller's thread only.
class StepGrid {
 public:
  StepGrid(int ahead, int subsamplingFactor, int spare) : ahead_(ahead), factor_(subsamplingFactor), spare_(spare) {}

  void push(int64_t melFrames) { pushed_ += melFrames; }
  // The signal was ended or flushed: what is left is due until the engine has no more step.
  void end() { ends_++; }

  // False when the engine would answer that no step is due.
  bool due() const {
    return restoring_ || ends_ > ended_ || pushed_ >= (finalFrames_ + ahead_) * static_cast<int64_t>(factor_) - spare_;
  }

  // For the answer to a request: where the stream is after the step that was made, or that there was none. `ends` is
  // what ends() was when the engine was asked: there may have been another end since.
  int64_t ends() const { return ends_; }
  void stepped(const StreamPosition& position, int64_t ends) {
    finalFrames_ = std::max(finalFrames_, position.finalFrames);
    if (!position.ending) noStep(ends);
  }
  void noStep(int64_t ends) { ended_ = std::max(ended_, ends); }

  // The state comes from a snapshot. Where the stream is, is not known here until the engine answers.
  void restore() {
    restoring_ = true;
    pushed_ = finalFrames_ = 0;
    ended_ = ends_;
  }
  void restored(const StreamPosition& position) {
    restoring_ = false;
    pushed_ += position.melFrames;
    finalFrames_ = std::max(finalFrames_, position.finalFrames);
    if (position.ending) end();
  }

 private:
  int ahead_, factor_, spare_;
  int64_t pushed_ = 0;       // mel frames
  int64_t finalFrames_ = 0;  // encoder frames
  int64_t ends_ = 0;         // calls of end()
  int64_t ended_ = 0;        // those whose steps have run
  bool restoring_ = false;
};

}  // namespace parakeet
