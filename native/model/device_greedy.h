// Greedy transducer decoding on the device (Xu et al. 2023; NeMo's GreedyTDTInfer and GreedyRNNTInfer), for many
// streams at once: several rounds of joint and predictor are queued together and read back in one piece, so that the
// device is waited for once in many tokens. The CPU's own way is transducer_decoder.cpp.
#pragma once

#include <string>
#include <vector>

#include "model/config.h"
#include "model/transducer_state.h"
#include "model/weights.h"
#include "ops/fused.h"

namespace parakeet {

class DeviceGreedy {
 public:
  DeviceGreedy(const ModelConfig& config, const Weights& weights, size_t fewest = defaultFewest);

  // With fewer streams the CPU is faster: it does not wait for kernels to be queued.
  static constexpr size_t defaultFewest = 4;
  size_t fewest() const { return fewest_; }

  // As Decoder::decode, for states without boosted phrases. If it throws, all states are as they were.
  void decode(const std::vector<DecoderJob>& jobs) const;

 private:
  struct LstmLayer {
    mlx::core::array inputs, recurrent, bias;  // [hidden, 4 · hidden] twice, [4 · hidden]; gates i, f, g, o
  };
  struct Rounds;  // of a batch
  // Queues a round: its choices, and the joint's inputs that they were made from.
  void round(Rounds& rounds) const;
  // 1 − H / ln(classes) of each row of joint inputs.
  mlx::core::array confidences(const mlx::core::array& mixed) const;

  size_t fewest_;
  int hidden_, jointHidden_, classes_;
  TransducerRules rules_;
  mlx::core::array embedding_;  // [vocabulary + 1, hidden]
  std::vector<LstmLayer> layers_;
  mlx::core::array predictor_, predictorBias_;  // [hidden, joint hidden]
  mlx::core::array out_, outBias_;              // [joint hidden, classes + durations]
  mlx::core::array durations_;                  // frames
  mlx::core::array isClass_;                    // [classes + durations]
  ops::Fused frameOf_, join_, move_, cells_, confidence_;
};

}  // namespace parakeet
