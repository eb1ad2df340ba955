// Greedy transducer decoding of a few streams as one CUDA kernel (greedy.cuh): a stream's tokens cost one launch and
// one copy back.
#pragma once

#include <mlx/mlx.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/config.h"
#include "model/weights.h"
#include "ops/dtype.h"
#include "ops/logits.h"

namespace parakeet {

class GreedyKernel {
 public:
  // Null where there is no CUDA card, or the model's sizes are not the kernel's.
  static std::unique_ptr<const GreedyKernel> make(const ModelConfig& config, const Weights& weights, ops::DType dtype);

  struct Found {
    int token;
    int64_t frame;
    int place;           // of the duration
    ops::Spread spread;  // of the distribution that it was chosen from
  };
  struct Stream {
    int offset;            // row of its first frame
    int64_t end, pointer;  // frames from there on
    int symbols;
    std::vector<float> state;  // hidden, cell, projection
    std::vector<Found> found = {};
    bool over() const { return pointer >= end; }
  };
  // Decodes streams to their ends. `frames`: [rows, joint hidden] float32, as the joint takes them. On the
  // engine's thread. Throws when the card does not run it.
  void decode(const mlx::core::array& frames, std::vector<Stream>& streams) const;

 private:
  GreedyKernel(const ModelConfig& config, const Weights& weights, ops::DType dtype, int blocks);
  // Some streams' kernel, and what it takes to read its result.
  struct Launch {
    std::span<Stream> streams;
    int teams, count, room;  // streams that a team of the kernel has, and tokens of each
    std::vector<mlx::core::array> outputs;
  };
  // Queues it behind `before`.
  Launch launch(const mlx::core::array& frames, std::span<Stream> streams, const mlx::core::array& before) const;
  void read(const Launch& launch) const;
  static constexpr int tallySize = 8, tokenSize = 7;  // as in greedy.cuh
  int stateWidth() const { return 2 * layers_ * hidden_ + jointHidden_; }
  // Values of a team's result.
  int64_t resultSize(int count, int room) const {
    return static_cast<int64_t>(count) * (int64_t{tokenSize} * room + stateWidth() + 3) + 1;
  }
  std::string callFor(int streams) const;

  int layers_, hidden_, jointHidden_, classes_, kinds_, activation_, maxSymbols_;
  size_t ofTeam_;  // streams of a team at most
  int blocks_;
  std::vector<mlx::core::array> weights_;
  mutable std::map<int, mlx::core::fast::CustomKernelFunction> kernels_;  // by streams; on the engine's thread
};

}  // namespace parakeet
