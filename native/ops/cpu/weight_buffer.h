// Memory for weights that are read from one end to the other, again and again: begins with a cache line, so that no
// register is loaded from two, and lies in large pages where the system has them, so that its addresses are looked up
// less often.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
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
  explicit WeightBuffer(size_t size) : size_(size), memory_(allocate(size * sizeof(T))) {}

  T* data() { return static_cast<T*>(memory_.get()); }
  const T* data() const { return static_cast<const T*>(memory_.get()); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Free {
    size_t mapped = 0;  // bytes of a mapping of its own; 0 for none
    void operator()(void* memory) const {
#ifdef MADV_HUGEPAGE
      if (mapped > 0) {
        munmap(memory, mapped);
        return;
      }
#endif
      ::operator delete(memory, std::align_val_t(line));
    }
  };
  using Memory = std::unique_ptr<void, Free>;
  static constexpr size_t line = 64;

  static Memory allocate(size_t bytes) {
#ifdef MADV_HUGEPAGE
    // A mapping of its own: among what malloc gives, the gaps before large pages would hold memory for nothing.
    constexpr size_t page = size_t{2} << 20;
    if (bytes >= page) {
      void* mapping = mmap(nullptr, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (mapping == MAP_FAILED) throw std::bad_alloc();
      auto* begin = static_cast<char*>(mapping);
      const size_t before = (page - reinterpret_cast<uintptr_t>(begin) % page) % page;
      const size_t kept = (bytes + 4095) / 4096 * 4096;
      if (before > 0) munmap(begin, before);
      if (kept < bytes + page - before) munmap(begin + before + kept, bytes + page - before - kept);
      // Whole pages only, or more memory than was asked for would be taken. Refused, it is slower and nothing else.
      madvise(begin + before, bytes / page * page, MADV_HUGEPAGE);
      return Memory(begin + before, Free{kept});
    }
#endif
    void* memory = ::operator new(bytes, std::align_val_t(line));
    std::memset(memory, 0, bytes);
    return Memory(memory, Free{});
  }

  size_t size_ = 0;
  Memory memory_;
};

}  // namespace parakeet::ops
