#include "model/greedy_kernel.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "bfloat16_source.h"
#include "greedy_kernel_source.h"
#include "ops/cuda_driver.h"
#include "ops/cuda_prelude.h"
#include "ops/transfer.h"
#include "ops/types.h"
#include "tiles_source.h"

namespace parakeet {
namespace mx = mlx::core;
namespace {

constexpr int threads = 1024;
// Streams of a team at most, and teams of a launch. A team reads the weights for its own streams, and the fewer blocks
// it has, the longer that takes.
constexpr size_t mostOfTeam = 8, mostTeams = 8;
// Bytes of vectors that a block holds of all its streams; 48 KiB are any block's, and a few the kernel's other values.
constexpr int vectorBytes = 42 << 10;
constexpr int counterSize = 1024;
constexpr int numbersBefore = 2, counterStride = 32;  // as in greedy.cuh
static_assert(mostTeams * counterStride <= counterSize);
// Tokens that a stream may find in one launch. The rest is another one's.
constexpr int64_t mostRoom = 1024;

// What the kernel's text takes for granted besides ops/cuda_prelude.h.
constexpr const char* memory = R"cuda(
namespace parakeet_greedy {
// What another block has written: not from the cache of this multiprocessor.
__device__ inline float loadFresh(const float* from) { return __ldcg(from); }
__device__ inline float4 loadFreshFour(const float* from) { return __ldcg(reinterpret_cast<const float4*>(from)); }
// The same, of what is waited for.
template <class T>
__device__ inline T watched(const T* from) { return *const_cast<const volatile T*>(from); }
}
)cuda";

const std::vector<std::string> inputNames{"before", "numbers",  "frames",    "states", "embedding",
                                          "inputs", "hiddens",  "gate_bias", "joint",  "joint_bias",
                                          "out",    "out_bias", "durations"};

// Bytes that a block holds of a stream's vectors.
int bytesOfStream(const ModelConfig& config) {
  const int hidden = config.predictor.hidden;
  return (std::max(hidden, config.joint.hidden) + hidden) * static_cast<int>(sizeof(float));
}

// The largest number of streams, a power of two, that a block has room for.
size_t streamsOfTeam(const ModelConfig& config) {
  size_t count = mostOfTeam;
  while (count > 1 && static_cast<int>(count) * bytesOfStream(config) > vectorBytes) count /= 2;
  return count;
}

int activationOf(const std::string& name) { return name == "relu" ? 0 : name == "sigmoid" ? 1 : 2; }

std::string nameFor(int streams) { return "parakeet_greedy_" + std::to_string(streams); }
// What MLX calls the function.
std::string functionFor(int streams) { return "custom_kernel_" + nameFor(streams); }

// MLX writes the head of the function. How many threads a block has must stand in it: with as many registers as it
// would like, the compiler leaves too few for so many threads. So the name brings it along where the head is, and
// means itself again in the body.
std::string headFor(int streams) {
  const std::string name = functionFor(streams);
  return "#define " + name + " __launch_bounds__(" + std::to_string(threads) + ") " + name + "\n";
}

// `names`, one below the other.
std::vector<float> joined(const Weights& weights, const std::vector<std::string>& names,
                          const std::vector<int64_t>& shape) {
  std::vector<float> all;
  for (const std::string& name : names) {
    const std::vector<float> one = weights.take(name, shape);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

mx::array asVector(const std::vector<float>& values) {
  return ops::fromVector(values, {static_cast<int>(values.size())});
}

}  // namespace

std::unique_ptr<const GreedyKernel> GreedyKernel::make(const ModelConfig& config, const Weights& weights,
                                                       ops::DType dtype) {
  const ops::CudaDriver* const driver = ops::CudaDriver::instance();
  const int hidden = config.predictor.hidden, joint = config.joint.hidden;
  // Rows are read four values at a time.
  if (!driver || hidden % 4 != 0 || joint % 4 != 0) return nullptr;
  if (bytesOfStream(config) > vectorBytes) return nullptr;
  return std::unique_ptr<const GreedyKernel>(new GreedyKernel(config, weights, dtype, driver->multiprocessors()));
}

GreedyKernel::GreedyKernel(const ModelConfig& config, const Weights& weights, ops::DType dtype, int blocks)
    : layers_(config.predictor.layers),
      hidden_(config.predictor.hidden),
      jointHidden_(config.joint.hidden),
      classes_(config.vocabulary + 1),
      kinds_(static_cast<int>(config.durations.size())),
      activation_(activationOf(config.joint.activation)),
      maxSymbols_(config.maxSymbols),
      ofTeam_(streamsOfTeam(config)),
      blocks_(blocks) {
  const auto matrix = [&](const std::vector<float>& values) {
    if (dtype == ops::DType::float32) return asVector(values);
    return mx::view(mx::astype(asVector(values), mx::bfloat16), mx::uint16);
  };
  std::vector<std::string> inputs, hiddens, biases;
  for (int i = 0; i < layers_; i++) {
    const std::string name = "decoder.prediction.dec_rnn.lstm." + std::to_string(i);
    inputs.push_back(name + ".Wx");
    hiddens.push_back(name + ".Wh");
    biases.push_back(name + ".bias");
  }
  const std::vector<int64_t> gates{4 * hidden_, hidden_};
  const std::vector<int> durations = config.durations.empty() ? std::vector<int>{0} : config.durations;
  weights_ = {matrix(weights.take("decoder.prediction.embed.weight", {classes_, hidden_})),
              matrix(joined(weights, inputs, gates)),
              matrix(joined(weights, hiddens, gates)),
              asVector(joined(weights, biases, {4 * hidden_})),
              matrix(weights.take("joint.pred.weight", {jointHidden_, hidden_})),
              asVector(weights.take("joint.pred.bias", {jointHidden_})),
              matrix(weights.take("joint.joint_net.2.weight", {classes_ + kinds_, jointHidden_})),
              asVector(weights.take("joint.joint_net.2.bias", {classes_ + kinds_})),
              ops::resident(mx::array(durations.begin(), {static_cast<int>(durations.size())}, mx::int32))};
  mx::eval(weights_);
}

std::string GreedyKernel::callFor(int streams) const {
  const std::vector<int> sizes{streams, layers_, hidden_, jointHidden_, classes_, kinds_, activation_, maxSymbols_};
  std::string values;
  for (const int size : sizes) values += (values.empty() ? "" : ", ") + std::to_string(size);
  return "\n#undef " + functionFor(streams) + "\n  parakeet_greedy::decode<" + values +
         ">(numbers, frames, states, parakeet_greedy::weightsOf(embedding, inputs, hiddens, gate_bias, joint, "
         "joint_bias, out, out_bias, durations), result, work, reinterpret_cast<unsigned*>(counter));";
}

void GreedyKernel::decode(const mx::array& frames, std::vector<Stream>& streams) const {
  while (std::any_of(streams.begin(), streams.end(), [](const Stream& stream) { return !stream.over(); })) {
    std::vector<Launch> launches;
    std::vector<mx::array> made;
    // One after the other: two at a time would wait for multiprocessors that the other one holds.
    mx::array before = weights_.back();
    const size_t most = ofTeam_ * mostTeams;
    for (size_t first = 0; first < streams.size(); first += most) {
      launches.push_back(
          launch(frames, std::span(streams).subspan(first, std::min(most, streams.size() - first)), before));
      before = launches.back().outputs[2];
      made.insert(made.end(), launches.back().outputs.begin(), launches.back().outputs.end());
    }
    mx::eval(made);
    for (const Launch& launch : launches) read(launch);
  }
}

GreedyKernel::Launch GreedyKernel::launch(const mx::array& frames, std::span<Stream> streams,
                                          const mx::array& before) const {
  const int stateWidth = this->stateWidth();
  const auto teams = static_cast<int>((streams.size() + ofTeam_ - 1) / ofTeam_);
  const size_t largest = std::min(streams.size(), ofTeam_);
  int count = 1;
  while (count < static_cast<int>(largest)) count *= 2;
  // Tensor cores multiply eight at a time anyway.
  if (ofTeam_ == mostOfTeam && count == mostOfTeam / 2) count = mostOfTeam;
  int64_t room = 1;
  for (const Stream& stream : streams)
    room = std::max(room, std::min(mostRoom, (stream.end - stream.pointer) * maxSymbols_));

  const auto size = static_cast<size_t>(count);
  // Streams that only fill up the kernel's number are over from the start.
  std::vector<int32_t> numbers(numbersBefore + 4 * size * teams);
  numbers[0] = teams;
  numbers[1] = static_cast<int32_t>(room);
  std::vector<float> states(teams * size * stateWidth);
  for (size_t i = 0; i < streams.size(); i++) {
    const Stream& own = streams[i];
    int32_t* const ofTeam = &numbers[numbersBefore + i / size * 4 * size];
    const size_t s = i % size;
    ofTeam[s] = own.offset;
    ofTeam[size + s] = static_cast<int32_t>(own.end);
    ofTeam[2 * size + s] = static_cast<int32_t>(own.pointer);
    ofTeam[3 * size + s] = own.symbols;
    std::copy(own.state.begin(), own.state.end(), states.begin() + static_cast<ptrdiff_t>(i * stateWidth));
  }

  auto found = kernels_.find(count);
  if (found == kernels_.end()) {
    const std::string header =
        std::string(ops::cudaPrelude) + bfloat16Source + tilesSource + memory + greedyKernelSource + headFor(count);
    found = kernels_
                .emplace(count, mx::fast::cuda_kernel(nameFor(count), inputNames, {"result", "work", "counter"},
                                                      callFor(count), header))
                .first;
  }
  std::vector<mx::array> inputs{before, ops::uploaded(numbers, {static_cast<int>(numbers.size())}), frames,
                                ops::uploaded(states, {static_cast<int>(states.size())})};
  inputs.insert(inputs.end(), weights_.begin(), weights_.end());
  const auto results = static_cast<int>(teams * resultSize(count, static_cast<int>(room)));
  const int workSize = teams * count * (2 * (blocks_ / teams) * tallySize + 3 * layers_ * hidden_ + 2 * jointHidden_);
  // A counter by itself would be so small that MLX puts it into memory that the card reaches over the bus.
  std::vector<mx::array> outputs =
      found->second(inputs, {{results}, {workSize}, {counterSize}}, {mx::float32, mx::float32, mx::int32},
                    {blocks_ * threads, 1, 1}, {threads, 1, 1}, {}, 0.0f, false, {});
  return {streams, teams, count, static_cast<int>(room), std::move(outputs)};
}

void GreedyKernel::read(const Launch& launch) const {
  const auto& [streams, teams, count, room, outputs] = launch;
  const int stateWidth = this->stateWidth();
  const std::vector<float> results = ops::downloaded(outputs[0]);
  for (int team = 0; team < teams; team++) {
    if (results[(team + 1) * resultSize(count, room) - 1] != 0.0f)
      throw std::runtime_error(
          "The card did not run all blocks of the decoder at the same time. Set PARAKEET_DECODER=host.");
  }
  for (size_t i = 0; i < streams.size(); i++) {
    const float* const result = results.data() + static_cast<int64_t>(i / count) * resultSize(count, room);
    const float* const state = result + static_cast<ptrdiff_t>(count) * room * tokenSize;
    const float* const places = state + static_cast<ptrdiff_t>(count) * stateWidth;
    const size_t s = i % count;
    Stream& own = streams[i];
    const auto number = [&](const float* at) { return static_cast<int>(*at); };
    own.pointer = number(places + 3 * s);
    own.symbols = number(places + 3 * s + 1);
    const float* token = result + static_cast<int64_t>(s) * room * tokenSize;
    for (int i = 0; i < number(places + 3 * s + 2); i++, token += tokenSize)
      own.found.push_back(
          {number(token), number(token + 1), number(token + 2), ops::Spread{token[3], token[4], token[5], token[6]}});
    std::copy_n(state + static_cast<ptrdiff_t>(s) * stateWidth, stateWidth, own.state.begin());
  }
}

}  // namespace parakeet
