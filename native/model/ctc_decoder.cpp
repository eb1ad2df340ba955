// Greedy CTC decoding (Graves et al. 2006). Frames of one token that follow each other are one token, and a blank parts
// two equal ones. A token runs to the first frame of the next one, the blanks between included; the last one ends after
// its last non-blank frame.
#include <algorithm>
#include <cmath>

#include "model/archive.h"
#include "model/ctc_head.h"
#include "model/decoder.h"
#include "model/greedy_fusion.h"
#include "ops/logits.h"

namespace parakeet {
namespace {

class CtcState : public DecoderState {
 public:
  explicit CtcState(int vocabulary) : vocabulary_(vocabulary) {}

  std::unique_ptr<DecoderState> clone() const override { return std::make_unique<CtcState>(*this); }

  void decode(const DecoderFrames& frames, int64_t until, int64_t lastStart, Measure measure, Tokens& tokens) {
    const int classes = vocabulary_ + 1;
    next_ = std::max(next_, frames.firstFrame);
    until = std::min(until, frames.end());
    for (; next_ < until && !stopped_; next_++) {
      const float* logits = frames.frame(next_);
      const int likeliest = ops::argmax(logits, classes);
      // The open token continues, unless a blank came after it.
      const int continued = open_.soundingEnd == next_ ? open_.id : -1;
      int id = boosting.choose(logits, likeliest, continued);
      if (id != vocabulary_ && id != continued) id = chooseFused(logits, id, vocabulary_, boosting, lm, continued);
      if (id != vocabulary_ && id != continued) {
        if (open_.id >= 0) tokens.push_back(closed(next_, open_.all));
        open_ = {};
        if (next_ > lastStart) {
          stopped_ = true;
          return;
        }
        open_.id = id;
        open_.start = next_;
        boosting.advance(id);
        lm.advance(id);
      }
      if (open_.id < 0) continue;
      open_.all.add(confidenceOf(measure, logits, classes));
      if (id != vocabulary_) {
        open_.sounding = open_.all;
        open_.soundingEnd = next_ + 1;
      }
    }
  }

  void finish(Tokens& tokens) override {
    if (open_.id >= 0) tokens.push_back(closed(open_.soundingEnd, open_.sounding));
    open_ = {};
  }
  void cutAt(int64_t frame) override {
    next_ = std::min(next_, frame);
    stopped_ = false;
  }
  void save(ArchiveWriter& archive) override { archive(next_, stopped_, open_, boosting, lm); }
  void load(ArchiveReader& archive) override {
    archive(next_, stopped_, open_, boosting, lm);
    ArchiveReader::require(open_.id < vocabulary_);
  }

 private:
  struct Mean {
    double sum = 0;
    int64_t count = 0;
    void add(double value) {
      sum += value;
      count++;
    }
  };
  struct Open {
    int id = -1;
    int64_t start = 0, soundingEnd = 0;
    Mean all, sounding;  // confidences of its frames; up to its last non-blank frame
  };

  Token closed(int64_t end, const Mean& confidence) const {
    return {open_.id, open_.start, end - open_.start,
            static_cast<float>(confidence.sum / static_cast<double>(confidence.count))};
  }

  int vocabulary_;
  int64_t next_ = 0;
  bool stopped_ = false;
  Open open_;
};

class CtcDecoder : public Decoder {
 public:
  explicit CtcDecoder(std::shared_ptr<const CtcHead> head) : head_(std::move(head)) {}

  mlx::core::array project(const mlx::core::array& encoded) const override { return head_->logits(encoded); }
  std::unique_ptr<DecoderState> newState() const override { return std::make_unique<CtcState>(head_->vocabulary()); }
  void decode(const std::vector<DecoderJob>& jobs) const override {
    for (const DecoderJob& job : jobs)
      static_cast<CtcState&>(*job.state).decode(*job.frames, job.until, job.lastStart, measure(), *job.tokens);
  }

 private:
  std::shared_ptr<const CtcHead> head_;
};

}  // namespace

std::unique_ptr<Decoder> makeCtcDecoder(std::shared_ptr<const CtcHead> head) {
  return std::make_unique<CtcDecoder>(std::move(head));
}

}  // namespace parakeet
