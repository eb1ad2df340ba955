#include "ops/machine.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "ops/cpu/instructions.h"
#include "ops/cpu/onednn.h"
#include "ops/cpu/product_speed.h"
#include "ops/device.h"
#include "ops/linear.h"

namespace parakeet::ops {

Machine machine() {
#ifdef PARAKEET_ONEDNN
  if (onCpu()) return {"cpu", onednnVersion(), instructions(), hasBfloat16(), hasByteProducts()};
#elif defined(PARAKEET_CPU_KERNELS)
  if (onCpu()) return {"cpu", std::nullopt, instructions(), hasBfloat16(), hasByteProducts()};
#endif
  if (mx::default_device() == mx::Device::cpu) return {"cpu", std::nullopt, std::nullopt, false, true};
#ifdef __APPLE__
  return {"metal", std::nullopt, std::nullopt, true, true};
#else
  return {"cuda", std::nullopt, std::nullopt, true, true};
#endif
}

double productSpeed(DType dtype, int rows, int inputs, int outputs, double seconds) {
#ifdef PARAKEET_CPU_KERNELS
  if (onCpu()) return productSpeed(dtype, ProductShape{rows, inputs, outputs}, seconds);
#endif
  using Clock = std::chrono::steady_clock;
  const Linear linear(std::vector<float>(static_cast<size_t>(outputs) * inputs), {}, outputs, inputs, dtype);
  const mx::array x = mx::zeros({rows, inputs});
  mx::eval(linear(x));
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
