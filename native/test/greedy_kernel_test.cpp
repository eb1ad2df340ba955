// The CUDA kernel of greedy decoding (model/greedy.cuh), run on the CPU against the definition: its blocks are threads
// here, each of one lane. What it cannot show is whether the lanes of a warp agree; tests on a card do (`test:gpu`).
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <thread>
#include <type_traits>
#include <vector>

#include "test/cases.h"
#include "test/check.h"
#include "test/greedy_definition.h"

namespace cuda {

struct Index {
  int x = 0;
};
thread_local Index threadIdx, blockIdx, blockDim, gridDim;
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) ushort4 {
  unsigned short x, y, z, w;
};
inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline int __float_as_int(float value) { return std::bit_cast<int>(value); }
inline unsigned atomicAdd(unsigned* to, unsigned value) { return std::atomic_ref(*to).fetch_add(value); }
inline void __threadfence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
inline void __syncthreads() {}

inline void tensorProduct(float (&)[4], unsigned, unsigned, unsigned, unsigned, unsigned, unsigned) {}

namespace parakeet_greedy {
template <class T>
T otherLane(T value, int) {
  return value;
}
template <class T>
T loadFresh(const T* from) {
  // The counter: another block is waited for, which may need this core.
  thread_local int waits = 0;
  if constexpr (std::is_same_v<T, unsigned>) {
    if (++waits % 256 == 0) std::this_thread::yield();
  }
  return std::atomic_ref(*const_cast<T*>(from)).load();
}
template <class T>
T watched(const T* from) {
  return loadFresh(from);
}
inline float4 loadFreshFour(const float* from) {
  return {loadFresh(from), loadFresh(from + 1), loadFresh(from + 2), loadFresh(from + 3)};
}
}  // namespace parakeet_greedy

#define LANES 1
#define TENSOR_CORES 0
#define __device__
#define __shared__ static thread_local
#define __align__(bytes) __attribute__((aligned(bytes)))
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#include "ops/bfloat16.cuh"

#include "ops/tiles.cuh"

#include "model/greedy.cuh"
#pragma GCC diagnostic pop
#undef __device__
#undef __shared__
#undef __align__
#undef LANES
#undef TENSOR_CORES

}  // namespace cuda

namespace parakeet::test {
namespace {

constexpr greedy::Sizes sizes{2, 12, 8, 7, 3};

// With teams of two streams. Tokens that there were.
template <int KINDS>
size_t compare(std::mt19937& random, int blocks, int room, bool inHalf) {
  const greedy::Network network = greedy::randomNetwork(random, sizes, KINDS);
  const auto embedding = greedy::bitsOf(network.embedding), inputs = greedy::bitsOf(network.inputs),
             hiddens = greedy::bitsOf(network.hiddens), predictor = greedy::bitsOf(network.predictor),
             out = greedy::bitsOf(network.out);
  const auto run = [&](greedy::Launch& launch, const greedy::Values& frames) {
    std::vector<std::thread> grid;
    for (int block = 0; block < blocks; block++) {
      grid.emplace_back([&, block] {
        cuda::blockIdx.x = block;
        cuda::gridDim.x = blocks;
        cuda::blockDim.x = 1;
        const auto decode = [&](const auto& weights) {
          cuda::parakeet_greedy::decode<2, sizes.layers, sizes.hidden, sizes.joint, sizes.classes, KINDS, 0,
                                        sizes.maxSymbols>(launch.numbers.data(), frames.data(), launch.states.data(),
                                                          weights, launch.results.data(), launch.work.data(),
                                                          launch.counters.data());
        };
        if (inHalf) {
          decode(cuda::parakeet_greedy::weightsOf(
              embedding.data(), inputs.data(), hiddens.data(), network.gateBias.data(), predictor.data(),
              network.predictorBias.data(), out.data(), network.outBias.data(), network.durations.data()));
        } else {
          decode(cuda::parakeet_greedy::weightsOf(
              network.embedding.data(), network.inputs.data(), network.hiddens.data(), network.gateBias.data(),
              network.predictor.data(), network.predictorBias.data(), network.out.data(), network.outBias.data(),
              network.durations.data()));
        }
      });
    }
    for (std::thread& one : grid) one.join();
  };
  return greedy::compare(random, sizes, network, 2, blocks, room, {{0, 60, 0, 0}, {60, 1, 0, 2}, {61, 90, 4, 0}}, 0,
                         run);
}

}  // namespace

void greedyKernel(std::mt19937& random) {
  // Two teams; the fifth block is left over.
  size_t found = 0;
  for (const int blocks : {2, 4, 5}) {
    for (const int room : {7, 400}) {
      for (const bool inHalf : {false, true}) {
        found += compare<5>(random, blocks, room, inHalf);
        found += compare<0>(random, blocks, room, inHalf);
      }
    }
  }
  CHECK(found > 100);
}

}  // namespace parakeet::test
