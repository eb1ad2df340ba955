// The CUDA kernel of live attention (ops/padded/live_attention.cuh), run on the CPU against the definition: with a
// thread of one lane for a block, and with two warps and their tensor cores.
#include <algorithm>
#include <cmath>
#include <random>
#include <type_traits>
#include <vector>

#include "ops/types.h"
#include "test/cases.h"
#include "test/check.h"
#include "test/one_lane.h"
#include "test/warps.h"

#define __device__
#define __shared__ static
#define __align__(bytes) __attribute__((aligned(bytes)))
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunknown-pragmas"

namespace cuda_attention {
using namespace one_lane;
Index gridDim;
#define LANES 1
#define TENSOR_CORES 0
#include "ops/bfloat16.cuh"

#include "ops/tiles.cuh"

#include "ops/padded/live_attention.cuh"
#undef LANES
#undef TENSOR_CORES
}  // namespace cuda_attention

namespace cuda_attention_tiles {
using namespace warps;
#define LANES 32
#define TENSOR_CORES 1
#include "ops/bfloat16.cuh"

#include "ops/tiles.cuh"

#include "ops/padded/live_attention.cuh"
#undef LANES
#undef TENSOR_CORES
}  // namespace cuda_attention_tiles

#pragma GCC diagnostic pop
#undef __device__
#undef __shared__
#undef __align__

namespace parakeet::test {
namespace {

namespace kernel = cuda_attention::parakeet_live;
using Values = std::vector<float>;

constexpr int heads = 2, slots = 3, most = 64, parts = 3;

struct Item {
  int past, count, slot, firstKept;
};

// The kernel on a grid of blocks.
struct OneLane {
  static constexpr int size = 8;
  template <class V, class... Rest>
  static void run(int blocks, int items, const int* numbers, const V* projected, Rest... rest) {
    cuda_attention::gridDim.x = blocks;
    one_lane::runGrid(blocks, heads, items,
                      [&] { kernel::attend<heads, size, most, parts>(numbers, projected, rest...); });
  }
};
struct Warps {
  static constexpr int size = 32;
  template <class V, class... Rest>
  static void run(int blocks, int items, const int* numbers, const V* projected, Rest... rest) {
    namespace tiles = cuda_attention_tiles::parakeet_live;
    static_assert(tiles::Queries<size, unsigned short>::tiled);
    warps::runGrid(blocks, heads, items, [&] { tiles::attend<heads, size, most, parts>(numbers, projected, rest...); });
  }
};

template <class V>
float rounded(float value) {
  V narrow;
  kernel::narrow(value, narrow);
  return kernel::widened(narrow);
}

template <class V>
std::vector<V> narrowed(const Values& values) {
  std::vector<V> all(values.size());
  for (size_t i = 0; i < values.size(); i++) kernel::narrow(values[i], all[i]);
  return all;
}

template <class V, class Kernel>
void compare(std::mt19937& random, int frames, int cached, const ops::Band& band, int keptFrames,
             const std::vector<Item>& items) {
  std::normal_distribution<float> normal;
  const auto make = [&](size_t count) {
    Values all(count);
    for (float& one : all) one = rounded<V>(normal(random));
    return all;
  };
  constexpr int size = Kernel::size, width = heads * size;
  const int keys = cached + frames;
  // More distances than there are, as a table that grew with other steps has them.
  const int farthest = keys + 2, distances = farthest + frames + 3;
  const Values projected = make(items.size() * frames * 3 * width),
               pool = make(static_cast<size_t>(slots) * 2 * width * std::max(cached, 1)),
               positions = make(static_cast<size_t>(heads) * distances * size), u = make(width), v = make(width);
  const auto keyOf = [&](size_t item, int which, int head, int key) {
    if (key >= cached) return &projected[((item * frames + key - cached) * 3 + 1 + which) * width + head * size];
    return &pool[(((static_cast<size_t>(items[item].slot) * 2 + which) * heads + head) * cached + key) * size];
  };

  Values mixed, kept;
  for (size_t item = 0; item < items.size(); item++) {
    const auto& [past, count, slot, firstKept] = items[item];
    for (int t = 0; t < frames; t++) {
      const ops::KeyRange seen = band.keysAt(cached + t, keys);
      for (int head = 0; head < heads; head++) {
        std::vector<double> weights;
        std::vector<int> at;
        for (int key = std::max(seen.begin, cached - past); key < std::min(seen.end, cached + count); key++) {
          double score = 0;
          for (int k = 0; k < size; k++) {
            const double query = projected[(item * frames + t) * 3 * width + head * size + k];
            const float place =
                positions[(static_cast<size_t>(head) * distances + farthest - (cached + t - key)) * size + k];
            score += (query + u[head * size + k]) * keyOf(item, 0, head, key)[k] + (query + v[head * size + k]) * place;
          }
          weights.push_back(score / std::sqrt(static_cast<double>(size)));
          at.push_back(key);
        }
        double largest = -INFINITY, sum = 0;
        for (const double weight : weights) largest = std::max(largest, weight);
        for (double& weight : weights) sum += weight = std::exp(weight - largest);
        for (int k = 0; k < size; k++) {
          double value = 0;
          for (size_t i = 0; i < at.size(); i++) value += weights[i] / sum * keyOf(item, 1, head, at[i])[k];
          mixed.push_back(at.empty() ? NAN : static_cast<float>(value));
        }
      }
    }
    for (int which = 0; which < 2; which++) {
      for (int head = 0; head < heads; head++) {
        for (int f = 0; f < keptFrames; f++) {
          for (int k = 0; k < size; k++)
            kept.push_back(firstKept + f < 0 ? NAN : keyOf(item, which, head, firstKept + f)[k]);
        }
      }
    }
  }

  std::vector<int> numbers{frames,     cached,          distances,  farthest,  band.left,
                           band.right, band.firstQuery, band.chunk, keptFrames};
  for (const auto& [past, count, slot, firstKept] : items)
    numbers.insert(numbers.end(), {past, count, slot, firstKept});
  const auto projectedBits = narrowed<V>(projected), poolBits = narrowed<V>(pool), placeBits = narrowed<V>(positions),
             uBits = narrowed<V>(u), vBits = narrowed<V>(v);
  std::vector<V> foundMixed(mixed.size()), foundKept(kept.size());
  const int blocks = (frames + kernel::queriesOfBlock - 1) / kernel::queriesOfBlock;
  Kernel::run(blocks, static_cast<int>(items.size()), numbers.data(), projectedBits.data(), poolBits.data(),
              placeBits.data(), uBits.data(), vBits.data(), foundMixed.data(), foundKept.data());
  // What is undefined (NaN here) must be a number all the same: it is multiplied by zero later.
  const auto check = [](const std::vector<V>& found, const Values& defined, float bound) {
    float largest = 0;
    for (size_t i = 0; i < found.size(); i++) {
      const float own = kernel::widened(found[i]);
      const float difference = std::isnan(defined[i]) ? (std::isfinite(own) ? 0.0f : INFINITY)
                                                      : std::fabs(own - defined[i]) / (1 + std::fabs(defined[i]));
      if (!(difference <= largest)) largest = difference;
    }
    CHECK(largest <= bound);
  };
  check(foundMixed, mixed, std::is_same_v<V, float> ? 1e-5f : 1e-2f);
  check(foundKept, kept, 0.0f);
}

template <class V, class Kernel>
void compareAll(std::mt19937& random) {
  const auto run = [&](int frames, int cached, const ops::Band& band, int kept, const std::vector<Item>& items) {
    compare<V, Kernel>(random, frames, cached, band, kept, items);
  };
  run(8, 0, {}, 0, {{0, 8, 0, 0}, {0, 3, 0, 0}, {0, 0, 0, 0}});
  run(8, 12, {-1, -1, 12, 0}, 12, {{12, 8, 2, 4}, {5, 6, 0, 3}, {0, 8, 1, -1}});
  // A band, as of a limited left context.
  run(24, 16, {9, 3, 16, 0}, 16, {{16, 24, 1, 8}, {7, 20, 0, 8}});
  // Chunks, as of a cache-aware model.
  run(11, 10, {8, 0, 10, 4}, 10, {{10, 11, 0, 8}, {3, 4, 1, 4}});
  run(16, 40, {35, 2, 40, 8}, 44, {{40, 16, 0, 2}, {17, 16, 2, -4}});
}

}  // namespace

void attentionKernel(std::mt19937& random) {
  compareAll<float, OneLane>(random);
  compareAll<unsigned short, OneLane>(random);
  compareAll<float, Warps>(random);
  compareAll<unsigned short, Warps>(random);
}

}  // namespace parakeet::test
