// Greedy transducer decoding on the device (Xu et al. 2023; NeMo's GreedyTDTInfer and GreedyRNNTInfer), for many
// streams at once: several rounds of joint and predictor are queued together and read back in one piece, so that the
// device is waited for once in many tokens. On a CUDA card, few streams are one kernel's (greedy_kernel.h). The CPU's
// own way is transducer_decoder.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/config.h"
#include "model/greedy_kernel.h"
#include "model/transducer_state.h"
#include "model/weights.h"
#include "ops/fused.h"

namespace parakeet {

class DeviceGreedy {
 public:
  // `fewest`: streams from which on it is used; by default from that number on at which it is faster than the CPU.
  DeviceGreedy(const ModelConfig& config, const Weights& weights, ops::DType dtype,
               std::optional<size_t> fewest = std::nullopt);

  size_t fewest() const { return fewest_; }

  // As Decoder::decode, for states without boosted phrases. If it throws, all states are as they were.
  void decode(const std::vector<DecoderJob>& jobs, Measure measure) const;

 private:
  struct LstmLayer {
    mlx::core::array inputs, recurrent, bias;  // [hidden, 4 · hidden] twice, [4 · hidden]; gates i, f, g, o
  };
  struct Rounds;  // of a batch
  // Queues a round: its choices, and the joint's inputs that they were made from.
  void round(Rounds& rounds) const;
  // Of each row of joint inputs the classes' spread: four columns, as ops::Spread has them.
  mlx::core::array spreads(const mlx::core::array& mixed) const;

  // To their ends, and then the states as GreedyKernel has them, one behind the other.
  std::vector<float> decodeByRounds(Rounds& rounds, Measure measure) const;
  std::vector<float> decodeByKernel(Rounds& rounds, Measure measure) const;

  std::unique_ptr<const GreedyKernel> kernel_;  // null where there is none
  size_t fewest_;
  int hidden_, jointHidden_, classes_;
  TransducerRules rules_;
  mlx::core::array embedding_;  // [vocabulary + 1, hidden]
  std::vector<LstmLayer> layers_;
  mlx::core::array predictor_, predictorBias_;  // [hidden, joint hidden]
  mlx::core::array out_, outBias_;              // [joint hidden, classes + durations]
  mlx::core::array durations_;                  // frames
  mlx::core::array places_;                     // [classes], 0, 1 …
  ops::Fused frameOf_, join_, move_, cells_, spread_;
};

}  // namespace parakeet
