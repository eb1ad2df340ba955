#ifdef PARAKEET_ONEDNN

#include "ops/cpu/product_speed.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "ops/cpu/onednn.h"
#include "ops/cpu/pool.h"

namespace parakeet::ops {
namespace {

using Clock = std::chrono::steady_clock;

ProductKind kindOf(DType dtype) {
  if (dtype == DType::bfloat16 && hasBfloat16()) return ProductKind::bfloat16;
  if (dtype == DType::int8Products || (dtype == DType::int8 && hasByteProducts())) return ProductKind::bytes;
  return ProductKind::float32;
}

double speedOf(ProductKind kind, const ProductShape& shape, int width, double seconds) {
  // Zeros multiply as fast as anything else, and are valid in every type. Four bytes are the widest element.
  const std::vector<float> zeros(static_cast<size_t>(std::max(shape.rows, width)) * shape.inputs);
  std::vector<PackedPanel> panels;
  for (int first = 0; first < shape.outputs; first += width)
    panels.emplace_back(kind, zeros.data(), std::min(width, shape.outputs - first), shape.inputs);
  const auto once = [&] {
    parallelFor(static_cast<int>(panels.size()), 1, [&](int begin, int end) {
      thread_local std::vector<float> output;
      output.resize(std::max(output.size(), static_cast<size_t>(shape.rows) * width));
      for (int i = begin; i < end; i++) panels[i].multiply(zeros.data(), output.data(), shape.rows);
    });
  };
  once();  // makes the primitives
  double best = 1e30;
  const auto start = Clock::now();
  do {
    const auto begin = Clock::now();
    once();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  } while (std::chrono::duration<double>(Clock::now() - start).count() < seconds);
  return 2.0 * shape.rows * shape.inputs * shape.outputs / best;
}

}  // namespace

double productSpeed(DType dtype, const ProductShape& shape, double seconds) {
  double best = 0;
  for (const int width : {128, 256, 512, 1024}) {
    if (width > shape.outputs) continue;
    best = std::max(best, speedOf(kindOf(dtype), shape, width, seconds));
  }
  return best > 0 ? best : speedOf(kindOf(dtype), shape, shape.outputs, seconds);
}

}  // namespace parakeet::ops

#endif
