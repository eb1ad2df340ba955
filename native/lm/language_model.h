// A token n-gram model with back-off, in a mapped file. Read-only; what a text needs of it is a Context, a value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "lm/format.h"
#include "model/mapped_file.h"

namespace parakeet::lm {

// The places of the last tokens in the model: entry k is that of the last k + 1 tokens among the grams of that length.
struct Context {
  static constexpr uint32_t none = 0xffffffffu;
  std::array<uint32_t, mostOrder - 1> places{none, none, none, none, none};
};

using VocabularyHash = std::array<uint8_t, 32>;

class LanguageModel {
 public:
  // Checks everything that is read later. Throws ERR_PARAKEET_INVALID_LANGUAGE_MODEL for a file that is none, is cut or
  // altered, or belongs to another vocabulary.
  LanguageModel(const std::string& path, uint32_t vocabulary, const VocabularyHash& vocabularyHash);

  int order() const { return order_; }
  uint64_t hash() const { return hash_; }

  // Where a text begins.
  Context start() const { return start_; }
  // ln p(token | context); a token of the vocabulary.
  float score(const Context& context, uint32_t token) const;
  Context next(const Context& context, uint32_t token) const;
  // Whether it can be one of this model's: for contexts that come from outside.
  bool holds(const Context& context) const;

 private:
  struct Level {
    const uint8_t* bytes = nullptr;         // level 1: values
    const uint8_t* backoffBytes = nullptr;  // level 1
    const uint32_t* first = nullptr;        // level 1: of the children
    const uint64_t* grams = nullptr;        // others
    const uint64_t* children = nullptr;
    const uint32_t* directory = nullptr;
    int width = 0;
    LevelHeader header{};
  };
  struct Range {
    uint32_t begin, end;
  };
  void checkStructure(const std::string& path) const;
  Range childrenOf(int level, uint32_t gram) const;
  // The gram of level `level` + 1 that continues `gram` with the token; Context::none if there is none.
  uint32_t find(int level, uint32_t gram, uint32_t token) const;
  uint32_t tokenOf(int level, uint32_t gram) const;
  float value(int level, uint32_t gram) const;
  float backoff(int level, uint32_t gram) const;

  MappedFile file_;
  int order_ = 0, tokenBits_ = 0;
  uint32_t vocabulary_ = 0;
  uint64_t hash_ = 0;
  std::array<Level, mostOrder> levels_;
  Context start_;
};

}  // namespace parakeet::lm
