#include "ops/cuda_driver.h"

#ifdef __linux__
#include <dlfcn.h>
#include <mlx/backend/cuda/cuda.h>

#include "ops/device.h"
#endif

namespace parakeet::ops {
namespace {

// From the CUDA Driver API: CUdevice_attribute, and the flags of cuMemHostAlloc.
constexpr unsigned hostAllocPortable = 1, hostAllocMapped = 2;

#ifdef __linux__
constexpr int multiprocessorCount = 16;

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}
#endif

}  // namespace

std::optional<CudaDriver> CudaDriver::load() {
#ifdef __linux__
  if (!onGpu() || !mlx::core::cu::is_available()) return std::nullopt;
  // Already there: MLX is linked to it.
  void* const library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
  if (!library) return std::nullopt;
  CudaDriver driver;
  int (*retain)(void** context, int device) = nullptr;
  int (*attribute)(int* value, int which, int device) = nullptr;
  if (!find(library, "cuCtxSetCurrent", driver.setContext_) || !find(library, "cuMemHostAlloc", driver.allocateHost_) ||
      !find(library, "cuMemcpyDtoH_v2", driver.copyToHost_) || !find(library, "cuDevicePrimaryCtxRetain", retain) ||
      !find(library, "cuDeviceGetAttribute", attribute))
    return std::nullopt;
  // The primary context of the first card, which is MLX's.
  if (retain(&driver.context_, 0) != 0 || attribute(&driver.multiprocessors_, multiprocessorCount, 0) != 0)
    return std::nullopt;
  return driver;
#else
  return std::nullopt;
#endif
}

const CudaDriver* CudaDriver::instance() {
  static const std::optional<CudaDriver> driver = load();
  return driver ? &*driver : nullptr;
}

bool CudaDriver::enter() const { return setContext_(context_) == 0; }

void* CudaDriver::hostMemory(size_t bytes) const {
  void* memory = nullptr;
  if (!enter() || allocateHost_(&memory, bytes, hostAllocPortable | hostAllocMapped) != 0) return nullptr;
  return memory;
}

bool CudaDriver::copyToHost(void* to, const void* from, size_t bytes) const {
  return enter() && copyToHost_(to, reinterpret_cast<unsigned long long>(from), bytes) == 0;
}

}  // namespace parakeet::ops
