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
inline int __float_as_int(float value) { return std::bit_cast<int>(value); }
inline unsigned atomicAdd(unsigned* to, unsigned value) { return std::atomic_ref(*to).fetch_add(value); }
inline void __threadfence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
inline void __syncthreads() {}

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
}  // namespace parakeet_greedy

#define LANES 1
#define __device__
#define __shared__ static thread_local
#define __align__(bytes) __attribute__((aligned(bytes)))
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#include "model/greedy.cuh"
#pragma GCC diagnostic pop
#undef __device__
#undef __shared__
#undef __align__
#undef LANES

}  // namespace cuda

namespace parakeet::test {
namespace {

constexpr int layers = 2, hidden = 12, joint = 8, classes = 7, maxSymbols = 3;
constexpr int width = 2 * layers * hidden + joint;

using Values = std::vector<float>;

struct Tokens {
  std::vector<int> ids, frames, places;
  Values spreads;  // four values of each, as the kernel gives them
};

struct Stream {
  int offset, end, pointer, symbols;
  Values state;  // hidden, cell, projection
};

struct Network {
  Values embedding, inputs, hiddens, gateBias, predictor, predictorBias, out, outBias;
  std::vector<int> durations;
};

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

double dot(const float* a, const float* b, int count) {
  double sum = 0;
  for (int i = 0; i < count; i++) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

// The definition: one stream, one frame at a time.
Tokens define(const Network& network, const Values& frames, Stream& stream) {
  const int kinds = static_cast<int>(network.durations.size()), outputs = classes + kinds;
  Tokens tokens;
  while (stream.pointer < stream.end) {
    float mixed[joint], logits[classes + 8];
    for (int k = 0; k < joint; k++) {
      const float frame = frames[(stream.offset + stream.pointer) * joint + k];
      mixed[k] = std::max(0.0f, frame + stream.state[2 * layers * hidden + k]);
    }
    for (int n = 0; n < outputs; n++)
      logits[n] = static_cast<float>(dot(&network.out[n * joint], mixed, joint) + network.outBias[n]);
    const int token = static_cast<int>(std::max_element(logits, logits + classes) - logits);
    const int place =
        kinds == 0 ? 0 : static_cast<int>(std::max_element(logits + classes, logits + outputs) - logits) - classes;
    const bool blank = token == classes - 1;
    int step = kinds == 0 ? (blank ? 1 : 0) : network.durations[place];
    if (!blank) {
      double sum = 0, weighted = 0, thirds = 0, second = -1e30;
      for (int n = 0; n < classes; n++) {
        const double y = logits[n] - logits[token];
        sum += std::exp(y);
        weighted += y * std::exp(y);
        thirds += std::cbrt(std::exp(y));
        if (n != token) second = std::max(second, y);
      }
      tokens.ids.push_back(token);
      tokens.frames.push_back(stream.pointer);
      tokens.places.push_back(place);
      for (const double value : {sum, weighted / sum, thirds, second})
        tokens.spreads.push_back(static_cast<float>(value));
      stream.symbols++;
    }
    if ((blank || stream.symbols >= maxSymbols) && step < 1) step = 1;
    if (step > 0) stream.symbols = 0;
    stream.pointer += step;
    if (blank) continue;
    Values x(network.embedding.begin() + token * hidden, network.embedding.begin() + (token + 1) * hidden);
    for (int layer = 0; layer < layers; layer++) {
      float* own = &stream.state[layer * hidden];
      float* cell = &stream.state[(layers + layer) * hidden];
      const Values old(own, own + hidden);
      for (int unit = 0; unit < hidden; unit++) {
        float gates[4];
        for (int gate = 0; gate < 4; gate++) {
          const int row = layer * 4 * hidden + gate * hidden + unit;
          gates[gate] =
              static_cast<float>(dot(&network.inputs[row * hidden], x.data(), hidden) +
                                 dot(&network.hiddens[row * hidden], old.data(), hidden) + network.gateBias[row]);
        }
        cell[unit] = sigmoid(gates[1]) * cell[unit] + sigmoid(gates[0]) * std::tanh(gates[2]);
        own[unit] = sigmoid(gates[3]) * std::tanh(cell[unit]);
      }
      x.assign(own, own + hidden);
    }
    for (int k = 0; k < joint; k++)
      stream.state[2 * layers * hidden + k] =
          static_cast<float>(dot(&network.predictor[k * hidden], x.data(), hidden) + network.predictorBias[k]);
  }
  return tokens;
}

std::vector<unsigned short> bitsOf(const Values& values) {
  std::vector<unsigned short> bits;
  for (const float value : values) bits.push_back(static_cast<unsigned short>(std::bit_cast<uint32_t>(value) >> 16));
  return bits;
}

// The kernel with teams of `size` streams, launched until all streams are over.
template <int KINDS>
std::vector<Tokens> launch(const Network& network, const Values& frames, std::vector<Stream>& streams, int blocks,
                           int room, bool inHalf) {
  constexpr int size = 2, tokenSize = cuda::parakeet_greedy::tokenSize;
  const auto teams = static_cast<int>(streams.size() + size - 1) / size, ofTeam = blocks / teams;
  const int resultSize = size * room * tokenSize + size * width + 3 * size + 1;
  std::vector<Tokens> tokens(streams.size());
  const auto over = [](const Stream& stream) { return stream.pointer >= stream.end; };
  const auto embedding = bitsOf(network.embedding), inputs = bitsOf(network.inputs), hiddens = bitsOf(network.hiddens),
             predictor = bitsOf(network.predictor), out = bitsOf(network.out);
  while (!std::all_of(streams.begin(), streams.end(), over)) {
    std::vector<int> numbers(2 + 4 * size * teams);
    numbers[0] = teams;
    numbers[1] = room;
    Values states(teams * size * width);
    for (size_t s = 0; s < streams.size(); s++) {
      const Stream& own = streams[s];
      const int values[] = {own.offset, own.end, own.pointer, own.symbols};
      for (int i = 0; i < 4; i++) numbers[2 + (s / size * 4 + i) * size + s % size] = values[i];
      std::copy(own.state.begin(), own.state.end(), states.begin() + static_cast<ptrdiff_t>(s) * width);
    }
    Values results(teams * resultSize);
    Values work(teams * size * (2 * ofTeam * cuda::parakeet_greedy::tallySize + 3 * layers * hidden + 2 * joint));
    std::vector<unsigned> counters(teams * cuda::parakeet_greedy::counterStride);
    std::vector<std::thread> grid;
    for (int block = 0; block < blocks; block++) {
      grid.emplace_back([&, block] {
        cuda::blockIdx.x = block;
        cuda::gridDim.x = blocks;
        cuda::blockDim.x = 1;
        const auto decode = [&](const auto& weights) {
          cuda::parakeet_greedy::decode<size, layers, hidden, joint, classes, KINDS, 0, maxSymbols>(
              numbers.data(), frames.data(), states.data(), weights, results.data(), work.data(), counters.data());
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
    for (size_t s = 0; s < streams.size(); s++) {
      const size_t own = s % size;
      const float* result = results.data() + static_cast<ptrdiff_t>(s / size) * resultSize;
      const float* state = result + size * room * tokenSize;
      const float* places = state + size * width;
      const float* token = result + static_cast<ptrdiff_t>(own) * room * tokenSize;
      CHECK(places[3 * size] == 0.0f);
      for (int i = 0; i < static_cast<int>(places[3 * own + 2]); i++, token += tokenSize) {
        tokens[s].ids.push_back(static_cast<int>(token[0]));
        tokens[s].frames.push_back(static_cast<int>(token[1]));
        tokens[s].places.push_back(static_cast<int>(token[2]));
        tokens[s].spreads.insert(tokens[s].spreads.end(), token + 3, token + tokenSize);
      }
      streams[s].pointer = static_cast<int>(places[3 * own]);
      streams[s].symbols = static_cast<int>(places[3 * own + 1]);
      streams[s].state.assign(state + own * width, state + (own + 1) * width);
    }
  }
  return tokens;
}

bool near(const Values& a, const Values& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); i++) {
    if (!(std::fabs(a[i] - b[i]) < 1e-4f)) return false;
  }
  return true;
}

// Tokens that there were.
template <int KINDS>
size_t compare(std::mt19937& random, int blocks, int room, bool inHalf) {
  std::normal_distribution<float> normal;
  // Values that bfloat16 holds exactly.
  const auto values = [&](int count, float scale) {
    Values all(static_cast<size_t>(count));
    for (float& one : all) one = std::bit_cast<float>(std::bit_cast<uint32_t>(scale * normal(random)) & 0xffff0000u);
    return all;
  };
  const int outputs = classes + KINDS, gates = layers * 4 * hidden;
  const Network network{values(classes * hidden, 1),
                        values(gates * hidden, 0.5f),
                        values(gates * hidden, 0.5f),
                        values(gates, 0.3f),
                        values(joint * hidden, 1),
                        values(joint, 0.3f),
                        values(outputs * joint, 1),
                        values(outputs, 0.3f),
                        KINDS == 0 ? std::vector<int>{} : std::vector<int>{0, 1, 2, 3, 4}};
  const Values frames = values(200 * joint, 2);
  std::vector<Stream> expected;
  const int places[][4] = {{0, 60, 0, 0}, {60, 1, 0, 2}, {61, 90, 4, 0}};
  for (const auto& [offset, end, pointer, symbols] : places)
    expected.push_back({offset, end, pointer, symbols, values(width, 0.5f)});
  std::vector<Stream> streams = expected;
  const std::vector<Tokens> tokens = launch<KINDS>(network, frames, streams, blocks, room, inHalf);
  size_t found = 0;
  for (size_t s = 0; s < expected.size(); s++) {
    const Tokens defined = define(network, frames, expected[s]);
    CHECK(tokens[s].ids == defined.ids);
    CHECK(tokens[s].frames == defined.frames);
    if (KINDS > 0) CHECK(tokens[s].places == defined.places);
    CHECK(near(tokens[s].spreads, defined.spreads));
    CHECK(streams[s].pointer == expected[s].pointer && streams[s].symbols == expected[s].symbols);
    CHECK(near(streams[s].state, expected[s].state));
    found += defined.ids.size();
  }
  return found;
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
