// Memory for weights: contiguous in large pages, where the system has them. A pass over a model reads each of its
// weights once; in small pages the CPU would look up an address every 64 cache lines, and a matrix alone rarely fills a
// large page.
#pragma once

#include <cstddef>
#include <memory>

namespace parakeet::ops {

class WeightBlock;

// Frees the memory, regardless of what else is in its block.
struct WeightDeleter {
  std::shared_ptr<WeightBlock> block;  // none: memory of its own
  size_t bytes = 0;
  void operator()(void* memory) const;
};
using WeightMemory = std::unique_ptr<void, WeightDeleter>;

// `bytes` zeros that begin with a cache line, so that no register is loaded from two; from any thread. Throws
// std::bad_alloc.
WeightMemory weightMemory(size_t bytes);

}  // namespace parakeet::ops
