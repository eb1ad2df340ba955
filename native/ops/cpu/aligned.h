// Memory of a thread that begins with a cache line and only grows; for weights there is weight_buffer.h.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#ifdef _WIN32
#include <malloc.h>
#endif

namespace parakeet::ops {

#ifdef _WIN32
inline void* allocateLines(size_t size) { return _aligned_malloc(size, 64); }
inline void freeLines(void* memory) { _aligned_free(memory); }
#else
inline void* allocateLines(size_t size) { return std::aligned_alloc(64, size); }
inline void freeLines(void* memory) { std::free(memory); }
#endif

struct FreeDeleter {
  void operator()(void* memory) const { freeLines(memory); }
};

// Uninitialised bytes.
class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(size_t size) : size_((size + 63) / 64 * 64), data_(allocateLines(size_)) {
    if (size_ > 0 && !data_) throw std::bad_alloc();
  }

  // Room for `size` bytes; the previous content is lost.
  void* grown(size_t size) {
    if (size > size_) *this = AlignedBytes(size);
    return data_.get();
  }

 private:
  size_t size_ = 0;
  std::unique_ptr<void, FreeDeleter> data_;
};

}  // namespace parakeet::ops
