// An n-gram model in memory, as it is made: what the writer takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lm/format.h"
#include "lm/language_model.h"

namespace parakeet::lm {

// Grams of one length, sorted by what they continue, then by token. Those of one token are an entry for each token of
// the vocabulary, and one for <s>.
struct GramLevel {
  std::vector<uint32_t> token;
  std::vector<uint32_t> parent;  // the gram of the level before that it continues
  std::vector<float> value;      // ln p(token | the tokens before it)
  std::vector<float> backoff;    // ln of the weight of shorter contexts where this one has no gram

  size_t size() const { return token.size(); }
};

struct Grams {
  uint32_t vocabulary = 0;
  uint32_t start = noStart;
  std::vector<GramLevel> levels;
};

// Bytes of a file with so many grams of each length.
uint64_t fileBytes(uint32_t vocabulary, const std::vector<uint64_t>& counts);

// Writes the file's bytes; throws ERR_PARAKEET_INVALID_LANGUAGE_MODEL for more grams than a file can hold.
std::vector<uint64_t> encode(const Grams& grams, const VocabularyHash& vocabularyHash);

}  // namespace parakeet::lm
