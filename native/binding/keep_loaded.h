// Keeps the addon in memory until the process ends. Node unloads an addon when its last environment (for example a
// worker thread) ends, and the engine's threads would then run in unmapped code.
#pragma once

namespace parakeet {

// Takes a reference to this library that is never released. Throws std::runtime_error if the system refuses.
void keepLoaded();

}  // namespace parakeet
