// Estimates an n-gram model from counts: modified Kneser-Ney, interpolated (Chen and Goodman 1998), pruned by weighted
// difference (Seymore and Rosenfeld 1996) until the file is small enough.
#pragma once

#include <vector>

#include "lm/grams.h"
#include "lm/window_counts.h"

namespace parakeet::lm {

// `mostBytes`: of the file; 0 for no limit. The grams of one token are never pruned.
Grams estimate(const std::vector<WindowCount>& windows, int order, uint32_t vocabulary, uint64_t mostBytes);

}  // namespace parakeet::lm
