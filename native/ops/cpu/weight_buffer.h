// Memory for weights that are read from one end to the other, again and again: begins with a cache line, so that no
// register is loaded from two, and lies in large pages where the system has them, so that its addresses are looked up
// less often.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace parakeet::ops {

template <class T>
class WeightBuffer {
 public:
  WeightBuffer() = default;
  // `size` zeros.
  explicit WeightBuffer(size_t size) : size_(size) {
    constexpr size_t line = 64, page = size_t{2} << 20;
    const size_t bytes = size * sizeof(T), alignment = bytes < page ? line : page;
    void* memory = ::operator new(bytes, std::align_val_t(alignment));
#ifdef MADV_HUGEPAGE
    // Whole pages only, or more memory than was asked for would be taken. Refused, it is slower and nothing else.
    if (bytes >= page) madvise(memory, bytes / page * page, MADV_HUGEPAGE);
#endif
    data_ = Memory(new (memory) T[size](), Free{alignment});
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Free {
    size_t alignment = 0;
    void operator()(T* memory) const { ::operator delete(memory, std::align_val_t(alignment)); }
  };
  using Memory = std::unique_ptr<T[], Free>;

  Memory data_;
  size_t size_ = 0;
};

}  // namespace parakeet::ops
