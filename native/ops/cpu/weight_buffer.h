// Memory for weights that are read sequentially, again and again.
#pragma once

#include <cstddef>
#include <memory>

#include "ops/cpu/weight_memory.h"

namespace parakeet::ops {

template <class T>
class WeightBuffer {
 public:
  WeightBuffer() = default;
  // `size` zeros. Throws std::bad_alloc.
  explicit WeightBuffer(size_t size) : size_(size), memory_(weightMemory(size * sizeof(T))) {}

  T* data() { return static_cast<T*>(memory_.get()); }
  const T* data() const { return static_cast<const T*>(memory_.get()); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  size_t size_ = 0;
  WeightMemory memory_;
};

}  // namespace parakeet::ops
