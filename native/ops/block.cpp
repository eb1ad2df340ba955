#ifdef PARAKEET_CPU_KERNELS

#include "ops/block.h"

#include "ops/cpu/block.h"
#include "ops/shape.h"

namespace parakeet::ops {

mx::array readablePositions(const Block& block, const mx::array& projected) {
  return readablePositionsOnCpu(block, projected);
}

BlockPast pastOf(const Block& block, const BlockCache& cache) { return pastOnCpu(block, cache); }
BlockCache cacheOf(const BlockPast& past, int width) { return cacheOfCpu(past, width); }

BlockOutput runBlock(const std::shared_ptr<const Block>& block, const mx::array& x,
                     const std::vector<BlockItem>& items) {
  const int width = block->biasU.shape(0);
  mustHaveWidth("Conformer block", x, width);
  for (const BlockItem& item : items)
    if (item.past.convolution) mustHaveWidth("Conformer block's cache", *item.past.convolution, width);
  return runBlockOnCpu(block, x, items);
}

}  // namespace parakeet::ops

#endif
