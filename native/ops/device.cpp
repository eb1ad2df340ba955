#include "ops/device.h"

#include <cstdlib>
#include <variant>

namespace parakeet::ops {
namespace mx = mlx::core;

namespace {

void setUnlessSet(const char* name, const char* value) {
#ifndef _WIN32
  setenv(name, value, 0);
#else
  if (!std::getenv(name)) _putenv_s(name, value);
#endif
}

}  // namespace

void prepareDevices() {
  setUnlessSet("MLX_ENABLE_TF32", "0");
  setUnlessSet("MLX_USE_CUDA_GRAPHS", "0");
}

bool gpuAvailable() { return mx::is_available(mx::Device(mx::Device::gpu)); }

void useGpu(bool gpu) { mx::set_default_device(gpu ? mx::Device::gpu : mx::Device::cpu); }

GpuFacts gpuFacts() {
  GpuFacts facts;
  const auto& info = mx::device_info(mx::Device(mx::Device::gpu));
  const auto text = info.find("device_name");
  if (text != info.end()) facts.name = std::get<std::string>(text->second);
  for (const char* key : {"total_memory", "memory_size"}) {
    const auto size = info.find(key);
    if (size != info.end()) facts.memory = std::get<size_t>(size->second);
  }
  return facts;
}

}  // namespace parakeet::ops
