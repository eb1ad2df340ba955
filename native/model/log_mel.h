// NeMo's log-mel spectrogram (nemo/collections/asr/parts/preprocessing/features.py, FilterbankFeatures), computed as
// audio comes: each frame once, from its real neighbours. Not the mathematics of a frame (model/mel_filters.h), not the
// normalisation (model/normalization.h).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/cancel.h"
#include "model/matrix.h"
#include "model/mel_filters.h"

namespace parakeet {

// The log-mel stream of one signal. Not safe for use from several threads at once.
class LogMelStream {
 public:
  explicit LogMelStream(std::shared_ptr<const MelFilters> filters);

  // Appends mono samples in [-1, 1]; appends the frames that became complete to `out`, row-major frames × features.
  // Frame m is complete when the samples up to m · hop + windowLength / 2 are there.
  void push(const float* samples, size_t count, std::vector<float>& out);
  // Ends the signal after `flush` zero samples: floor((samples + flush) / hop) frames in all. Beyond lie zeros.
  void finish(size_t flush, std::vector<float>& out);

  // For snapshots: everything but the filters. `valid` tells whether the stream can continue from what was read.
  template <class Archive>
  void archive(Archive& archive) {
    archive(emphasised_, first_, samples_, frames_, previous_);
  }
  bool valid() const;

  // Samples pushed so far.
  int64_t samples() const { return samples_; }
  // How many frames are complete while the signal may still go on after `samples` samples.
  static int64_t liveFrames(const PreprocessorConfig& config, int64_t samples);

 private:
  void append(const float* samples, size_t count);
  void emit(int64_t until, std::vector<float>& out);

  std::shared_ptr<const MelFilters> filters_;
  std::vector<float> emphasised_;  // from sample `first_` on
  int64_t first_ = 0;
  int64_t samples_ = 0;
  int64_t frames_ = 0;
  float previous_ = 0;
};

// floor((samples + flush) / hop) frames of a whole signal and `flush` zeros after it, not normalised: the same as the
// stream's, computed by all threads.
Matrix wholeLogMel(const std::shared_ptr<const MelFilters>& filters, const float* samples, size_t count, size_t flush,
                   const CancelFlag& cancel);

}  // namespace parakeet
