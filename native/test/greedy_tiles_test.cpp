// The greedy kernel's tensor cores (model/greedy.cuh), run on the CPU against the definition.
#include <cmath>
#include <random>
#include <vector>

#include "test/cases.h"
#include "test/check.h"
#include "test/greedy_definition.h"
#include "test/warps.h"

namespace cuda_warps {

using namespace warps;

namespace parakeet_greedy {
template <class T>
T loadFresh(const T* from) {
  return *from;
}
template <class T>
T watched(const T* from) {
  return *from;
}
inline float4 loadFreshFour(const float* from) { return {from[0], from[1], from[2], from[3]}; }
}  // namespace parakeet_greedy

#define LANES 32
#define TENSOR_CORES 1
#define __device__
#define __shared__ static
#define __align__(bytes) __attribute__((aligned(bytes)))
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#include "ops/bfloat16.cuh"

#include "ops/tiles.cuh"

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
    warps::runGrid(1, 1, 1, [&] {
      cuda_warps::parakeet_greedy::decode<ofTeam, sizes.layers, sizes.hidden, sizes.joint, sizes.classes, kinds, 0,
                                          sizes.maxSymbols>(
          launch.numbers.data(), frames.data(), launch.states.data(),
          cuda_warps::parakeet_greedy::weightsOf(
              embedding.data(), inputs.data(), hiddens.data(), network.gateBias.data(), predictor.data(),
              network.predictorBias.data(), out.data(), network.outBias.data(), network.durations.data()),
          launch.results.data(), launch.work.data(), launch.counters.data());
    });
  };
  // Seven of eight streams.
  const std::vector<std::vector<int>> places{{0, 6, 0, 0},  {6, 1, 0, 2},  {7, 4, 2, 0}, {11, 5, 0, 1},
                                             {16, 3, 0, 0}, {19, 2, 1, 0}, {21, 6, 0, 0}};
  // Tensor cores take a value as the sum of two bfloat16.
  constexpr float rounding = 0x1p-17f;
  CHECK(greedy::compare(random, sizes, network, ofTeam, 1, 30, places, rounding, run) > 5);
}

}  // namespace parakeet::test
