#include "ops/machine.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "ops/cpu/instructions.h"
#include "ops/cpu/onednn.h"
#include "ops/cpu/product_speed.h"
#include "ops/cpu/tile_kernel.h"
#include "ops/dense.h"
#include "ops/device.h"

namespace parakeet::ops {

Machine machine() {
#ifdef PARAKEET_CPU_KERNELS
#ifdef PARAKEET_ONEDNN
  const std::optional<std::string> library = onednnVersion();
#else
  const std::optional<std::string> library;
#endif
  if (onCpu()) return {"cpu", library, instructions(), hasBfloat16(), ofWholeNumbers(multipliedAs(ProductKind::bytes))};
#endif
  if (mx::default_device() == mx::Device::cpu) return {"cpu", std::nullopt, std::nullopt, false, true};
  return {backends().back(), std::nullopt, std::nullopt, true, true};
}

std::vector<const char*> backends() {
#ifdef PARAKEET_GPU_BACKEND
  return {"cpu", PARAKEET_GPU_BACKEND};
#else
  return {"cpu"};
#endif
}

double productSpeed(DType dtype, int rows, int inputs, int outputs, double seconds) {
#ifdef PARAKEET_CPU_KERNELS
  if (onCpu()) return productSpeed(dtype, ProductShape{rows, inputs, outputs}, seconds);
#endif
  using Clock = std::chrono::steady_clock;
  // Not zeros: a device multiplies those faster.
  std::vector<float> weight(static_cast<size_t>(outputs) * inputs);
  for (size_t i = 0; i < weight.size(); i++) weight[i] = static_cast<float>(i * 2654435761u % 1021) / 1021.0f - 0.5f;
  const Dense dense(weight, {}, outputs, inputs, dtype);
  const mx::array x = mx::random::normal({rows, inputs}, activationType(dtype));
  const auto linear = [&](const mx::array& rows) { return dense(rows); };
  mx::eval(x, linear(x));
  double best = 1e30;
  const auto start = Clock::now();
  do {
    const auto begin = Clock::now();
    mx::eval(linear(x));
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  } while (std::chrono::duration<double>(Clock::now() - start).count() < seconds);
  return 2.0 * rows * inputs * outputs / best;
}

}  // namespace parakeet::ops
