// Breaks the engine in one named way, for the tests that must notice (`npm run test:mutants`). In a shipped build
// PARAKEET_MUTANT is not defined and every question is answered "no" at compile time.
#pragma once

#include <string_view>

namespace parakeet {

#ifdef PARAKEET_MUTANT
inline constexpr std::string_view activeMutant = PARAKEET_MUTANT;
#else
inline constexpr std::string_view activeMutant = "";
#endif

constexpr bool mutant(std::string_view name) { return activeMutant == name; }

}  // namespace parakeet
