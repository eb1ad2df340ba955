// Window, Fourier transform and mel filters: from pre-emphasised samples to log-mel frames. Not where the frames lie in
// a stream (model/log_mel.h).
#pragma once

#include <vector>

#include "model/config.h"
#include "model/fft.h"

namespace parakeet {

// ln(0 + 2^-24): every band of a frame of digital silence.
float digitalSilence();

// The filters of a model, shared by its streams; read-only.
class MelFilters {
 public:
  explicit MelFilters(const PreprocessorConfig& config);

  // ln(mel + 2^-24) of `count` frames to `out`, row-major. Frame m is made of the config.windowLength samples from
  // `samples` + m · config.hop on, and is the same whatever `count` is.
  void frames(const float* samples, int count, float* out) const;

  const PreprocessorConfig config;

  // What `frames` is made of.
  struct Band {
    int firstBin = 0;
    std::vector<double> weights;
  };
  const RealFft fft;
  std::vector<double> window;  // config.windowLength values
  std::vector<Band> bands;     // config.features of them
};

}  // namespace parakeet
