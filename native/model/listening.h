// The front end of a whole recording: audio to the encoder's input. Needs no model, so that any thread can run it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/boost.h"
#include "model/cancel.h"
#include "model/decoder.h"
#include "model/matrix.h"
#include "model/mel_filters.h"

namespace parakeet {

struct OfflineOptions {
  size_t flush = 0;       // samples of silence appended
  int emissionDelay = 0;  // frames that a token may begin after the last sound, in the flush
};

// A signal as the encoder takes it.
struct Heard {
  Matrix features;              // normalised, if the model wants them so; empty for digital silence
  int64_t lastStart = noLimit;  // no token may begin after this frame
  int64_t skipped = 0;          // frames before it that were left out
  std::shared_ptr<const BoostTree> boost = nullptr;
};

// `factor`: mel frames of an encoder frame. Where features are normalised, digital silence of more than a second at
// either end is left out. On all cores, unless it is nested in a piece of ops::parallelFor. Throws
// ERR_PARAKEET_INVALID_AUDIO for samples that are not finite.
Heard listen(const std::shared_ptr<const MelFilters>& filters, int factor, const std::vector<float>& samples,
             const OfflineOptions& options, const CancelFlag& cancel);

// NeMo's normalisation: by the statistics of all frames.
Matrix normalizeWhole(const Matrix& logMel);

}  // namespace parakeet
