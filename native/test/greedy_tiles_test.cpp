// The greedy kernel's tensor cores (model/greedy.cuh), run on the CPU against the definition: a block of two warps,
// whose lanes are threads that meet wherever lanes do. What a tensor core does is done by its definition (PTX,
// mma.m16n8k16).
#include <algorithm>
#include <array>
#include <barrier>
#include <bit>
#include <cmath>
#include <iterator>
#include <random>
#include <thread>
#include <type_traits>
#include <vector>

#include "test/cases.h"
#include "test/check.h"
#include "test/greedy_definition.h"

namespace cuda_warps {

constexpr int lanes = 32, warps = 2;

struct Index {
  int x = 0;
};
thread_local Index threadIdx;
Index blockIdx, blockDim{lanes * warps}, gridDim{1};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) ushort4 {
  unsigned short x, y, z, w;
};
inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline int __float_as_int(float value) { return std::bit_cast<int>(value); }
unsigned atomicAdd(unsigned* to, unsigned value) {
  *to += value;  // one block
  return *to - value;
}
inline void __threadfence() {}

std::barrier block(lanes* warps);
inline void __syncthreads() { block.arrive_and_wait(); }

// What the lanes of a warp show each other: they all come, read what the others left, and come again.
struct Warp {
  std::barrier<> meeting{lanes};
  unsigned shown[lanes][6];
};
std::array<Warp, warps> ofBlock;

namespace parakeet_greedy {

template <class T>
T otherLane(T value, int distance) {
  static_assert(sizeof(T) == sizeof(unsigned));
  Warp& own = ofBlock[threadIdx.x / lanes];
  const int lane = threadIdx.x % lanes;
  own.shown[lane][0] = std::bit_cast<unsigned>(value);
  own.meeting.arrive_and_wait();
  const T other = std::bit_cast<T>(own.shown[lane ^ distance][0]);
  own.meeting.arrive_and_wait();
  return other;
}

template <class T>
T loadFresh(const T* from) {
  return *from;
}

void tensorProduct(float (&sums)[4], unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0, unsigned b1) {
  Warp& own = ofBlock[threadIdx.x / lanes];
  const int lane = threadIdx.x % lanes;
  const unsigned values[] = {a0, a1, a2, a3, b0, b1};
  std::copy(std::begin(values), std::end(values), own.shown[lane]);
  own.meeting.arrive_and_wait();
  const auto half = [](unsigned bits, int which) {
    return __uint_as_float(which == 0 ? bits << 16 : bits & 0xffff0000u);
  };
  // a[row][k] is in register (row ≥ 8) + 2 · (k ≥ 8) of lane 4 · (row mod 8) + k mod 8 / 2; b[k][n] in register k ≥ 8
  // of lane 4 · n + k mod 8 / 2.
  for (int i = 0; i < 4; i++) {
    const int row = lane / 4 + i / 2 * 8, n = lane % 4 * 2 + i % 2;
    for (int k = 0; k < 16; k++) {
      const float a = half(own.shown[row % 8 * 4 + k % 8 / 2][row / 8 + k / 8 * 2], k % 2);
      const float b = half(own.shown[n * 4 + k % 8 / 2][4 + k / 8], k % 2);
      sums[i] += a * b;
    }
  }
  own.meeting.arrive_and_wait();
}

}  // namespace parakeet_greedy

#define LANES 32
#define TENSOR_CORES 1
#define __device__
#define __shared__ static
#define __align__(bytes) __attribute__((aligned(bytes)))
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#include "model/greedy.cuh"
#pragma GCC diagnostic pop
#undef LANES
#undef TENSOR_CORES
#undef __device__
#undef __shared__
#undef __align__

}  // namespace cuda_warps

namespace parakeet::test {
namespace {

constexpr greedy::Sizes sizes{2, 64, 32, 19, 3};
constexpr int ofTeam = 8, kinds = 5;

}  // namespace

void greedyTiles(std::mt19937& random) {
  const greedy::Network network = greedy::randomNetwork(random, sizes, kinds);
  const auto embedding = greedy::bitsOf(network.embedding), inputs = greedy::bitsOf(network.inputs),
             hiddens = greedy::bitsOf(network.hiddens), predictor = greedy::bitsOf(network.predictor),
             out = greedy::bitsOf(network.out);
  static_assert(cuda_warps::parakeet_greedy::Products<ofTeam, sizes.hidden, sizes.joint, unsigned short>::tiled);
  const auto run = [&](greedy::Launch& launch, const greedy::Values& frames) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < cuda_warps::blockDim.x; thread++) {
      threads.emplace_back([&, thread] {
        cuda_warps::threadIdx.x = thread;
        cuda_warps::parakeet_greedy::decode<ofTeam, sizes.layers, sizes.hidden, sizes.joint, sizes.classes, kinds, 0,
                                            sizes.maxSymbols>(
            launch.numbers.data(), frames.data(), launch.states.data(),
            cuda_warps::parakeet_greedy::weightsOf(
                embedding.data(), inputs.data(), hiddens.data(), network.gateBias.data(), predictor.data(),
                network.predictorBias.data(), out.data(), network.outBias.data(), network.durations.data()),
            launch.results.data(), launch.work.data(), launch.counters.data());
      });
    }
    for (std::thread& one : threads) one.join();
  };
  // Seven of eight streams.
  const std::vector<std::vector<int>> places{{0, 6, 0, 0},  {6, 1, 0, 2},  {7, 4, 2, 0}, {11, 5, 0, 1},
                                             {16, 3, 0, 0}, {19, 2, 1, 0}, {21, 6, 0, 0}};
  CHECK(greedy::compare(random, sizes, network, ofTeam, 1, 30, places, run) > 5);
}

}  // namespace parakeet::test
