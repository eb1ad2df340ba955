#include "ops/transfer.h"

#include <mlx/version.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "ops/cuda_driver.h"
#include "ops/device.h"

namespace parakeet::ops {
namespace mx = mlx::core;
namespace {

// What an mx::allocator::Buffer points to on CUDA (in MLX: cu::CudaBuffer, whose header needs those of CUDA).
struct CudaBuffer {
  void* data;
  size_t size;
  int device;  // -1: the host can read it
};
constexpr bool layoutIsKnown = MLX_VERSION_NUMERIC == 32004;

const CudaDriver* driver() { return layoutIsKnown ? CudaDriver::instance() : nullptr; }

// Blocks of host memory that the card reads, by size; a block comes back when MLX has dropped the array.
class Blocks {
 public:
  static Blocks& instance() {
    static Blocks* blocks = new Blocks();
    return *blocks;
  }

  // Null where there is no memory.
  CudaBuffer* take(const CudaDriver& driver, size_t bytes) {
    const size_t size = std::bit_ceil(std::max(bytes, size_t{4096}));
    {
      const std::lock_guard lock(mutex_);
      std::vector<CudaBuffer*>& free = free_[size];
      if (!free.empty()) {
        CudaBuffer* const block = free.back();
        free.pop_back();
        return block;
      }
    }
    void* const memory = driver.hostMemory(size);
    return memory ? new CudaBuffer{memory, size, -1} : nullptr;
  }

  void giveBack(CudaBuffer* block) {
    const std::lock_guard lock(mutex_);
    free_[block->size].push_back(block);
  }

 private:
  std::mutex mutex_;
  std::map<size_t, std::vector<CudaBuffer*>> free_;
};

template <class T>
mx::array upload(const std::vector<T>& values, mx::Shape shape, mx::Dtype type) {
  const CudaDriver* const cuda = driver();
  const size_t bytes = values.size() * sizeof(T);
  CudaBuffer* const block = cuda && bytes > 0 ? Blocks::instance().take(*cuda, bytes) : nullptr;
  if (!block) return mx::array(values.begin(), std::move(shape), type);
  std::memcpy(block->data, values.data(), bytes);
  mx::allocator::Data data(mx::allocator::Buffer(block), [](mx::allocator::Buffer buffer) {
    Blocks::instance().giveBack(static_cast<CudaBuffer*>(buffer.ptr()));
  });
  return mx::array(std::move(data), std::move(shape), type);
}

}  // namespace

mx::array resident(const mx::array& x) {
  if (!onGpu()) return x;
  // An operation that needs new memory: `x` is still held, so it is not computed in place.
  mx::array copy = x + mx::array(0, x.dtype());
  mx::eval(copy);
  return copy;
}

mx::array uploaded(const std::vector<float>& values, mx::Shape shape) {
  return upload(values, std::move(shape), mx::float32);
}

mx::array uploaded(const std::vector<int32_t>& values, mx::Shape shape) {
  return upload(values, std::move(shape), mx::int32);
}

mx::array uploadedBits(const std::vector<uint16_t>& bits, mx::Shape shape) {
  return mx::view(upload(bits, std::move(shape), mx::uint16), mx::bfloat16);
}

std::vector<float> downloaded(const mx::array& evaluated) {
  std::vector<float> values(evaluated.size());
  const CudaDriver* const cuda = driver();
  if (cuda && !values.empty()) {
    mx::allocator::Buffer own = evaluated.buffer();
    const auto* const buffer = static_cast<const CudaBuffer*>(own.ptr());
    const char* const from = static_cast<const char*>(buffer->data) + evaluated.offset();
    if (buffer->device >= 0 && cuda->copyToHost(values.data(), from, values.size() * sizeof(float))) return values;
  }
  std::memcpy(values.data(), evaluated.data<float>(), values.size() * sizeof(float));
  return values;
}

}  // namespace parakeet::ops
