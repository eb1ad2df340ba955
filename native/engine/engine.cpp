#include "engine/engine.h"

#include <mlx/memory.h>

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
                  [this](std::deque<RecordingRequest>& waiting) { runRecordings(waiting, batchFrames(), counts_); }) {
  useLimitsOfDevice();
}

void Engine::useLimitsOfDevice() {
  limits_ = engineLimits();
  mlx::core::set_cache_limit(limits_.cache);
}

}  // namespace parakeet
