#include "ops/transfer.h"

#include <mlx/version.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <memory>
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
mx::array upload(mx::Shape shape, mx::Dtype type, const std::function<void(T*)>& fill) {
  const CudaDriver* const cuda = driver();
  size_t size = 1;
  for (const int one : shape) size *= static_cast<size_t>(one);
  CudaBuffer* const block = cuda && size > 0 ? Blocks::instance().take(*cuda, size * sizeof(T)) : nullptr;
  if (!block) {
    const auto values = std::make_unique_for_overwrite<T[]>(size);
    fill(values.get());
    return mx::array(values.get(), std::move(shape), type);
  }
  mx::allocator::Data data(mx::allocator::Buffer(block), [](mx::allocator::Buffer buffer) {
    Blocks::instance().giveBack(static_cast<CudaBuffer*>(buffer.ptr()));
  });
  fill(static_cast<T*>(block->data));
  return mx::array(std::move(data), std::move(shape), type);
}

template <class T>
mx::array upload(const std::vector<T>& values, mx::Shape shape, mx::Dtype type) {
  return upload<T>(std::move(shape), type, [&](T* to) { std::copy(values.begin(), values.end(), to); });
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

mx::array uploaded(mx::Shape shape, const std::function<void(float*)>& fill) {
  return upload<float>(std::move(shape), mx::float32, fill);
}

mx::array uploadedBits(mx::Shape shape, const std::function<void(uint16_t*)>& fill) {
  return mx::view(upload<uint16_t>(std::move(shape), mx::uint16, fill), mx::bfloat16);
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
