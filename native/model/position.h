// Sinusoids of relative positions (Vaswani et al. 2017; NeMo's RelPositionalEncoding), longest distance first.
#pragma once

#include <vector>

namespace parakeet {

// Rows for the distances `from`, from − 1, …, `to` (query minus key, in frames): sines in even, cosines in odd columns.
// Row-major [from − to + 1, width].
std::vector<float> relativePositions(int from, int to, int width);

}  // namespace parakeet
