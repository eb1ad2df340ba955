#include "engine/engine.h"

#include <mlx/memory.h>

#include <utility>

#include "ops/device.h"

namespace parakeet {
Engine& Engine::instance() {
  static Engine* engine = new Engine();
  return *engine;
}

Engine::Engine()
    : steps_(inference_, [this](std::deque<StepRequest>& waiting) { runSteps(waiting, batchFrames(), counts_); }),
      decodes_(inference_,
               [this](std::deque<DecodeRequest>& waiting) {
                 runDecodes(waiting, batchFrames() == 1 ? 1 : limits_.decodes);
               }),
      recordings_(inference_,
                  [this](std::deque<RecordingRequest>& waiting) { runRecordings(waiting, batchFrames(), counts_); }),
      early_(listening_, [this](RecordingRequest recording) { await(std::move(recording)); }) {
  useLimitsOfDevice();
}

Worker& Engine::frontEnd() { return frontEnds_[ops::onGpu() ? nextFrontEnd_++ % frontEnds_.size() : 0]; }

size_t Engine::queued() const {
  size_t queued = inference_.queued() + listening_.queued();
  for (const Worker& frontEnd : frontEnds_) queued += frontEnd.queued();
  return queued;
}

void Engine::hear(RecordingRequest recording) {
  if (ops::onGpu())
    early_.add(std::move(recording));
  else
    await(std::move(recording));
}

void Engine::await(RecordingRequest recording) {
  inference_.post([this, recording = std::move(recording)]() mutable { recordings_.add(std::move(recording)); });
}

void Engine::useLimitsOfDevice() {
  limits_ = engineLimits();
  mlx::core::set_cache_limit(limits_.cache);
}

}  // namespace parakeet
