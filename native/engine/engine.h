// The one engine of a process: the thread that owns MLX, and one for the log-mel front end. Never destroyed: at exit
// the environments have waited for what ran (binding/environment.h) and both threads sleep.
#pragma once

#include "engine/worker.h"

namespace parakeet {

class Engine {
 public:
  // MLX keeps freed buffers by size and would keep them all: a live stream's shapes are few, so little is enough
  // (bytes).
  static constexpr size_t cacheLimit = size_t{64} << 20;

  static Engine& instance();

  // Everything that touches MLX.
  Worker& inference() { return inference_; }
  // Log-mel: plain arithmetic that must not wait behind a long step.
  Worker& frontEnd() { return frontEnd_; }
  size_t queued() const { return inference_.queued() + frontEnd_.queued(); }

 private:
  Engine();
  Worker inference_;
  Worker frontEnd_;
};

}  // namespace parakeet
