#include "engine/engine.h"

#include <mlx/memory.h>

namespace parakeet {
namespace {

// Streams decoded in step.
constexpr int mostDecodes = 64;

}  // namespace

Engine& Engine::instance() {
  static Engine* engine = new Engine();
  return *engine;
}

Engine::Engine()
    : steps_(inference_, [this](std::deque<StepRequest>& waiting) { runSteps(waiting, batchFrames_, counts_); }),
      decodes_(
          inference_,
          [this](std::deque<DecodeRequest>& waiting) { runDecodes(waiting, batchFrames_ == 1 ? 1 : mostDecodes); }),
      recordings_(inference_,
                  [this](std::deque<RecordingRequest>& waiting) { runRecordings(waiting, batchFrames_, counts_); }) {
  mlx::core::set_cache_limit(cacheLimit);
}

}  // namespace parakeet
