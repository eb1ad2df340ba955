// Breaks the engine in one named way, for the tests that must detect it (`npm run test:mutants`). `mutant("name")` is
// false at compile time in a shipped build. Only a build with PARAKEET_MUTANTS reads the environment variable
// PARAKEET_MUTANT, once. A name that is not in the table does not compile.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#ifdef PARAKEET_MUTANTS
#include <cstdlib>
#endif

namespace parakeet {

// What each one breaks is described at its call; which tests must detect it is listed in scripts/test-mutants.mjs.
constexpr std::array<std::string_view, 21> mutantNames{
    "agreement-skipped", "attention-ahead",   "batch-mixed",         "beam-unmerged",    "bias-halved",
    "blank-forgotten",   "boost-stuck",       "cache-kept",          "cached-row-wrong", "carry-cleared",
    "chunk-padding",     "convolution-ahead", "final-again",         "flush-removed",    "lm-stuck",
    "lookahead-short",   "never-forgotten",   "normalized-by-first", "push-edge",        "silence-counted",
    "subsampling-ahead",
};

// A name's place in the table, looked up by the compiler.
class MutantName {
 public:
  template <size_t length>
  consteval MutantName(const char (&name)[length]) : place_(placeOf({name, length - 1})) {}
  constexpr size_t place() const { return place_; }

 private:
  static consteval size_t placeOf(std::string_view name) {
    for (size_t i = 0; i < mutantNames.size(); i++) {
      if (mutantNames[i] == name) return i;
    }
    throw "Expected a name of mutantNames";
  }
  size_t place_;
};

#ifdef PARAKEET_MUTANTS
// The place of the mutant that is on, or one past the last.
inline size_t activePlace() {
  static const size_t place = [] {
    const char* name = std::getenv("PARAKEET_MUTANT");
    size_t i = 0;
    while (i < mutantNames.size() && (name == nullptr || mutantNames[i] != name)) i++;
    return i;
  }();
  return place;
}
inline bool mutant(MutantName name) { return name.place() == activePlace(); }
inline std::string_view activeMutant() {
  return activePlace() < mutantNames.size() ? mutantNames[activePlace()] : std::string_view();
}
#else
constexpr bool mutant(MutantName) { return false; }
constexpr std::string_view activeMutant() { return ""; }
#endif

}  // namespace parakeet
