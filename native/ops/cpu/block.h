// A Conformer block as one kernel: what lies between its operations is neither an array of MLX's nor fresh memory, and
// no thread has to ask for the next one. Worth it because a block of a short signal takes a few milliseconds.
#pragma once

#ifdef PARAKEET_ONEDNN

#include "ops/block.h"

namespace parakeet::ops {

// See readablePositions.
mx::array readablePositionsOnCpu(const Block& block, const mx::array& projected);

// See runBlock.
BlockOutput runBlockOnCpu(const std::shared_ptr<const Block>& block, const mx::array& x,
                          const std::vector<BlockItem>& items);

}  // namespace parakeet::ops

#endif
