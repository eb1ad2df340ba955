#include "ops/cpu/weight_memory.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace parakeet::ops {

#ifdef MADV_HUGEPAGE

namespace {

constexpr size_t line = 64, largePage = size_t{2} << 20;
// Addresses only: memory is taken when it is written, a large page at a time.
constexpr size_t usualBlock = size_t{64} << 20;

constexpr size_t roundUp(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

}  // namespace

class WeightBlock {
 public:
  explicit WeightBlock(size_t bytes) : mapped_(roundUp(bytes, largePage) + largePage) {
    mapping_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping_ == MAP_FAILED) throw std::bad_alloc();
    next_ = reinterpret_cast<char*>(roundUp(reinterpret_cast<uintptr_t>(mapping_), largePage));
    left_ = mapped_ - largePage;
    // If the system refuses, it is only slower.
    madvise(next_, left_, MADV_HUGEPAGE);
  }
  WeightBlock(const WeightBlock&) = delete;
  WeightBlock& operator=(const WeightBlock&) = delete;
  ~WeightBlock() { munmap(mapping_, mapped_); }

  size_t left() const { return left_; }

  void* take(size_t bytes) {
    left_ -= bytes;
    return std::exchange(next_, next_ + bytes);
  }

  // Releases the pages that only this piece occupied.
  static void release(void* piece, size_t bytes) {
    static const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<uintptr_t>(piece);
    const uintptr_t first = roundUp(begin, page), last = (begin + bytes) / page * page;
    if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  }

 private:
  void* mapping_;
  size_t mapped_;
  char* next_;
  size_t left_;
};

WeightMemory weightMemory(size_t bytes) {
  static std::mutex mutex;
  static std::weak_ptr<WeightBlock> current;
  const std::lock_guard lock(mutex);
  bytes = roundUp(std::max(bytes, size_t{1}), line);
  std::shared_ptr<WeightBlock> block = current.lock();
  if (!block || block->left() < bytes) {
    block = std::make_shared<WeightBlock>(std::max(bytes, usualBlock));
    current = block;
  }
  void* memory = block->take(bytes);
  return WeightMemory(memory, WeightDeleter{std::move(block), bytes});
}

void WeightDeleter::operator()(void* memory) const { WeightBlock::release(memory, bytes); }

#else

namespace {
constexpr std::align_val_t line{64};
}

class WeightBlock {};

WeightMemory weightMemory(size_t bytes) {
  void* memory = ::operator new(bytes, line);
  std::memset(memory, 0, bytes);
  return WeightMemory(memory, WeightDeleter{nullptr, bytes});
}

void WeightDeleter::operator()(void* memory) const { ::operator delete(memory, line); }

#endif

}  // namespace parakeet::ops
