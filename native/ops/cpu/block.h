// A Conformer block as one kernel: intermediate results are neither MLX arrays nor newly allocated memory, and no
// operation has to be scheduled. Worth it because a block of a short signal takes a few milliseconds.
#pragma once

#ifdef PARAKEET_CPU_KERNELS

#include "ops/block.h"

namespace parakeet::ops {

// See readablePositions.
mx::array readablePositionsOnCpu(const Block& block, const mx::array& projected);

// See pastOf and cacheOf.
BlockPast pastOnCpu(const Block& block, const BlockCache& cache);
BlockCache cacheOfCpu(const BlockPast& past, int width);

// See runBlock.
BlockOutput runBlockOnCpu(const std::shared_ptr<const Block>& block, const mx::array& x,
                          const std::vector<BlockItem>& items);

}  // namespace parakeet::ops

#endif
