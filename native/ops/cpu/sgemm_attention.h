// Attention with oneDNN's products, where the CPU has no tile kernel for them (tile_attention.h).
#pragma once

#ifdef PARAKEET_ONEDNN

#include <vector>

#include "ops/cpu/attention.h"

namespace parakeet::ops {

// All heads of all items. Their tables of positions are not packed.
void attendBySgemm(const std::vector<AttentionShape>& shapes, const std::vector<AttentionInput>& inputs);

}  // namespace parakeet::ops

#endif
