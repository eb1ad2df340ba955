// Greedy decoding of transducers, with and without durations.
#include <algorithm>
#include <list>
#include <optional>

#include "model/decoder.h"
#include "model/device_greedy.h"
#include "model/greedy_fusion.h"
#include "model/mutant.h"
#include "model/transducer_state.h"
#include "ops/logits.h"
#include "ops/profile.h"

namespace parakeet {
namespace {

using ops::argmax;

// One stream's progress through its frames. Each round requests the logits of one or more frames and advances as far as
// they allow. After two blanks, more blanks at the same spacing are likely: several frames are scored at once, so that
// a pause costs a fraction of reading the joint's weights. (Not after one blank: on speech with the bundled model, a
// token follows in five cases out of six.)
class Walk {
 public:
  Walk(const DecoderJob& job, const TransducerRules& rules, Measure measure)
      : job_(job), rules_(rules), measure_(measure), state_(static_cast<TransducerState&>(*job.state)) {
    const int64_t firstFrame = job.frames->firstFrame;
    if (mutant("carry-cleared") || mutant("final-again")) state_.pointer = firstFrame;
    state_.pointer = std::max(state_.pointer, firstFrame);
    until_ = std::min(job.until, job.frames->end());
  }

  // Until the frames are computed.
  void wait() const { mlx::core::eval(job_.frames->rows.matrix); }

  bool over() const { return state_.pointer >= until_ || state_.pointer > job_.lastStart; }

  // Appends what is to be scored next.
  void ask(std::vector<Transducer::JointInput>& inputs) {
    scored_.clear();
    const auto most = static_cast<size_t>(std::clamp(blanks_, 1, mostAhead));
    for (int64_t next = state_.pointer; next < until_ && scored_.size() < most; next += step_) {
      scored_.push_back(next);
      inputs.push_back({job_.frames->frame(next), &state_.predictor});
    }
  }
  size_t asked() const { return scored_.size(); }

  // Advances with the requested logits until they are used up or a token is emitted, after which the predictor must
  // run; returns that token.
  std::optional<int> go(const float* logits, int outputs) {
    const int classes = rules_.vocabulary + 1;
    while (!over()) {
      const auto found = std::find(scored_.begin(), scored_.end(), state_.pointer);
      if (found == scored_.end()) break;
      const float* own = logits + (found - scored_.begin()) * outputs;
      const int likeliest = state_.boosting.choose(own, argmax(own, mutant("blank-forgotten") ? classes - 1 : classes));
      const int token = chooseFused(own, likeliest, rules_.vocabulary, state_.boosting, state_.lm);
      const int kinds = static_cast<int>(rules_.durations.size());
      const int place = kinds == 0 ? 0 : argmax(own + classes, kinds);
      const bool blank = token == rules_.vocabulary;
      if (!blank) {
        const float confidence = confidenceOf(measure_, own, classes);
        job_.tokens->push_back({token, state_.pointer, rules_.lasts(place), confidence});
      }
      const int64_t move = rules_.move(token, place, state_.pointer, state_.symbols);
      if (!blank) {
        state_.boosting.advance(token);
        state_.lm.advance(token);
        blanks_ = 0;
        return token;
      }
      step_ = static_cast<int>(move);
      blanks_++;
    }
    return std::nullopt;
  }

  PredictorState& predictor() { return state_.predictor; }

 private:
  static constexpr int mostAhead = 4;
  const DecoderJob& job_;
  const TransducerRules& rules_;
  Measure measure_;
  TransducerState& state_;
  int64_t until_;
  int blanks_ = 0, step_ = 1;  // in a row before the pointer; frames of the last one
  std::vector<int64_t> scored_;
};

class TransducerDecoder : public Decoder {
 public:
  TransducerDecoder(std::shared_ptr<const Transducer> transducer, TransducerRules rules,
                    std::shared_ptr<const DeviceGreedy> device)
      : transducer_(std::move(transducer)), rules_(std::move(rules)), device_(std::move(device)) {}

  int piece() const override { return device_ ? 2048 : Decoder::piece(); }
  bool onDevice() const override { return device_ != nullptr; }

  mlx::core::array project(const mlx::core::array& encoded) const override {
    return transducer_->projectFrames(encoded);
  }
  std::unique_ptr<DecoderState> newState() const override {
    return std::make_unique<TransducerState>(transducer_->start());
  }

  void decode(const std::vector<DecoderJob>& jobs) const override {
    const ops::PartScope part(ops::Part::decoder);
    const ops::PartTimer timer(ops::Part::decoder);
    std::list<Walk> walks;
    std::vector<DecoderJob> onDevice;
    for (const DecoderJob& job : jobs) {
      // A bonus is not the device's to give.
      if (device_ && !job.state->boosting.active())
        onDevice.push_back(job);
      else
        walks.emplace_back(job, rules_, measure());
    }
    if (device_ && onDevice.size() >= device_->fewest()) {
      device_->decode(onDevice, measure());
    } else {
      for (const DecoderJob& job : onDevice) walks.emplace_back(job, rules_, measure());
    }
    for (const Walk& walk : walks) walk.wait();
    std::vector<Transducer::JointInput> inputs;
    std::vector<float> logits;
    for (;;) {
      std::erase_if(walks, [](const Walk& walk) { return walk.over(); });
      if (walks.empty()) return;
      inputs.clear();
      for (Walk& walk : walks) walk.ask(inputs);
      transducer_->joint(inputs, logits);
      std::vector<Transducer::Advance> moves;
      const float* own = logits.data();
      for (Walk& walk : walks) {
        if (const auto token = walk.go(own, transducer_->outputs())) moves.push_back({&walk.predictor(), *token});
        own += walk.asked() * transducer_->outputs();
      }
      if (!moves.empty()) transducer_->advance(moves);
    }
  }

 private:
  std::shared_ptr<const Transducer> transducer_;
  TransducerRules rules_;
  std::shared_ptr<const DeviceGreedy> device_;  // none: everything is decoded on the CPU
};

}  // namespace

std::unique_ptr<Decoder> makeTdtDecoder(std::shared_ptr<const Transducer> transducer, const ModelConfig& config,
                                        std::shared_ptr<const DeviceGreedy> device) {
  return std::make_unique<TransducerDecoder>(std::move(transducer),
                                             TransducerRules{config.vocabulary, config.durations, config.maxSymbols},
                                             std::move(device));
}

std::unique_ptr<Decoder> makeRnntDecoder(std::shared_ptr<const Transducer> transducer, const ModelConfig& config,
                                         std::shared_ptr<const DeviceGreedy> device) {
  return std::make_unique<TransducerDecoder>(
      std::move(transducer), TransducerRules{config.vocabulary, {}, config.maxSymbols}, std::move(device));
}

}  // namespace parakeet
