#include "engine/engine.h"

#include <mlx/memory.h>

namespace parakeet {

Engine& Engine::instance() {
  static Engine* engine = new Engine();
  return *engine;
}

Engine::Engine() { mlx::core::set_cache_limit(cacheLimit); }

}  // namespace parakeet
