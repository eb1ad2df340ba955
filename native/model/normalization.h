// Per-feature normalisation of log-mel frames (NeMo's normalize_batch, "per_feature"): unbiased standard deviation +
// 1e-5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace parakeet {

struct Statistics {
  std::vector<float> mean, deviation;  // one value a feature; `deviation` without the + 1e-5
};

// Mean and variance of frames seen one by one (Welford 1962).
class RunningStatistics {
 public:
  explicit RunningStatistics(int features) : mean_(features), squares_(features) {}
  void add(const float* frame);
  Statistics statistics() const;

 private:
  int64_t count_ = 0;
  std::vector<double> mean_, squares_;
};

// True when no band has more energy than digital silence.
bool silentFrame(const float* frame, int features);

// (x − mean) / (deviation + 1e-5) for `frames` rows of `logMel`, appended to `out`.
void normalizeFrames(const float* logMel, int frames, const Statistics& statistics, std::vector<float>& out);

// Raises quiet passages of a recording to the usual level, in place: where the mean loudness of the `most` frames
// around a row (without digital silence) is below the usual one, the row becomes what it would be at the usual level,
// so that the log guard affects quiet sound no more than loud sound. Louder sound is left unchanged: a gain below 1
// because of noise would push the speech beside it under the guard. The `more` rows of the flush are treated like the
// last of `frames`.
void bringToLevel(std::vector<float>& logMel, int frames, int more, int features, int most);

// The `frames` rows of a recording, each normalised by the `most` frames around it that are not digital silence (by all
// when there are fewer), then the `more` rows behind them, the flush, by the last ones; appended to `out`. Models are
// trained on single utterances: statistics over minutes of several voices and rooms would shift the features.
void normalizeAround(const float* logMel, int frames, int more, int features, int most, std::vector<float>& out);

}  // namespace parakeet
