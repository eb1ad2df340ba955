// Breaks the engine in one named way, for the tests that must notice (`npm run test:mutants`). Only a build with
// PARAKEET_MUTANTS asks the environment variable PARAKEET_MUTANT, once; in a shipped one every answer is "no" at
// compile time.
#pragma once

#ifdef PARAKEET_MUTANTS
#include <cstdlib>
#include <string>
#endif
#include <string_view>

namespace parakeet {

#ifdef PARAKEET_MUTANTS
inline std::string_view activeMutant() {
  static const std::string* name = [] {
    const char* value = std::getenv("PARAKEET_MUTANT");
    return new std::string(value ? value : "");
  }();
  return *name;
}
inline bool mutant(std::string_view name) { return activeMutant() == name; }
#else
constexpr std::string_view activeMutant() { return ""; }
constexpr bool mutant(std::string_view) { return false; }
#endif

}  // namespace parakeet
