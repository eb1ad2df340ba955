#ifdef PARAKEET_CPU_KERNELS

#include "ops/cpu/product_speed.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "ops/cpu/instructions.h"
#include "ops/cpu/onednn.h"
#include "ops/cpu/tile_panel.h"
#include "ops/cpu/weight_buffer.h"
#include "ops/pool.h"

namespace parakeet::ops {
namespace {

using Clock = std::chrono::steady_clock;

ProductKind kindOf(DType dtype) {
  if (dtype == DType::bfloat16 && hasBfloat16()) return ProductKind::bfloat16;
  return inBytes(dtype) ? multipliedAs(ProductKind::bytes) : ProductKind::float32;
}

// The best time of `once`, which makes the products of the shape, as operations per second.
template <class Once>
double speedOf(const ProductShape& shape, double seconds, Once once) {
  once();  // makes what it needs
  double best = 1e30;
  const auto start = Clock::now();
  do {
    const auto begin = Clock::now();
    once();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  } while (std::chrono::duration<double>(Clock::now() - start).count() < seconds);
  return 2.0 * shape.rows * shape.inputs * shape.outputs / best;
}

double tileSpeed(ProductKind kind, const ProductShape& shape, double seconds) {
  const int groups = paddedGroups(kind, shape.inputs), panels = (shape.outputs + tileColumns - 1) / tileColumns;
  const size_t stride = paddedStride(groups), panelSize = panelBytes(groups);
  const std::vector<char> activations(stride * rowsWithPadding(kind, shape.rows));
  WeightBuffer<char> weights(panelSize * panels);
  // Memory that was never written is one page of zeros that all its addresses share, and would be read from the cache.
  std::memset(weights.data(), 1, weights.size());
  return speedOf(shape, seconds, [&] {
    parallelFor(panels, 1, [&](int begin, int end) {
      const TileScope scope(kind);
      for (int i = begin; i < end; i++) {
        const auto part = [&](int group, int count) -> PanelWeights {
          const char* data = weights.data() + i * panelSize + panelBytes(group);
          return {data, data + panelBytes(count), panelBytes(count)};
        };
        multiplyPanel(
            {.kind = kind, .activations = activations.data(), .stride = stride, .rows = shape.rows, .groups = groups},
            part, [](int, int, const float*) {});
      }
    });
  });
}

#ifdef PARAKEET_ONEDNN

// Zeros multiply as fast as anything else, and are valid in every type. Four bytes are the widest element.
std::vector<float> zerosOf(const ProductShape& shape, int columns) {
  return std::vector<float>(static_cast<size_t>(std::max(shape.rows, columns)) * (shape.inputs + 64));
}

double panelSpeed(ProductKind kind, const ProductShape& shape, int width, double seconds) {
  const std::vector<float> zeros = zerosOf(shape, width);
  std::vector<PackedPanel> panels;
  for (int first = 0; first < shape.outputs; first += width)
    panels.emplace_back(kind, zeros.data(), std::min(width, shape.outputs - first), shape.inputs);
  return speedOf(shape, seconds, [&] {
    parallelFor(static_cast<int>(panels.size()), 1, [&](int begin, int end) {
      thread_local std::vector<float> output;
      output.resize(std::max(output.size(), static_cast<size_t>(shape.rows) * width));
      for (int i = begin; i < end; i++) panels[i].multiply(zeros.data(), output.data(), shape.rows);
    });
  });
}

double onednnSpeed(ProductKind kind, const ProductShape& shape, double seconds) {
  double best = 0;
  for (const int width : {128, 256, 512, 1024}) {
    if (width <= shape.outputs) best = std::max(best, panelSpeed(kind, shape, width, seconds));
  }
  return best > 0 ? best : panelSpeed(kind, shape, shape.outputs, seconds);
}

#endif

}  // namespace

double productSpeed(DType dtype, const ProductShape& shape, double seconds) {
  const ProductKind kind = kindOf(dtype);
#ifdef PARAKEET_ONEDNN
  // Where it lacks instructions for them, oneDNN's products of bytes are of 15 bits, which overflow.
  if (kind == ProductKind::words) return tileSpeed(kind, shape, seconds);
  return std::max(tileSpeed(kind, shape, seconds), onednnSpeed(kind, shape, seconds));
#else
  return tileSpeed(kind, shape, seconds);
#endif
}

}  // namespace parakeet::ops

#endif
