#include "ops/device.h"

#include <cstdlib>
#include <variant>

namespace parakeet::ops {
namespace mx = mlx::core;

void prepareDevices() {
#ifndef _WIN32
  setenv("MLX_ENABLE_TF32", "0", 0);
#else
  if (!std::getenv("MLX_ENABLE_TF32")) _putenv_s("MLX_ENABLE_TF32", "0");
#endif
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
