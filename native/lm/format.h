// The layout of a language model's file, for its reader and its writer; docs/language-models.md describes it. Numbers
// are little-endian, as on every machine that the engine runs on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace parakeet::lm {

constexpr int mostOrder = 6;
constexpr uint32_t mostPieces = 1u << 20;
constexpr uint32_t mostGrams = 1u << 30;  // of one order
constexpr uint32_t noStart = 0xffffffffu;
constexpr uint32_t formatVersion = 1;
constexpr std::array<char, 8> magic{'P', 'K', 'T', 'L', 'M', '\r', '\n', 0};

// Values are stored as bytes: low + byte · step.
struct LevelHeader {
  uint64_t count;
  float valueLow, valueStep, backoffLow, backoffStep;
};

struct FileHeader {
  std::array<char, 8> mark;
  uint32_t version, order, vocabulary;
  uint32_t start;  // the token that the first context consists of; `vocabulary` for a token <s>, noStart for none
  std::array<uint8_t, 32> vocabularyHash;
  uint64_t bytes;  // of the file
  std::array<LevelHeader, mostOrder> levels;
  uint64_t hash;  // of the file with this field 0
};
static_assert(sizeof(FileHeader) == 216 && offsetof(FileHeader, hash) == 208);

// Bits of a token of a gram.
constexpr int tokenBits(uint32_t vocabulary) {
  int bits = 1;
  while ((uint64_t{1} << bits) < vocabulary) bits++;
  return bits;
}

// Where the sections of a file begin, in bytes; each is a multiple of 8. Level n is at place n - 1.
struct Layout {
  struct Level {
    uint64_t values = 0;     // level 1: a byte for each token and for <s>; else token, value, back-off in bits
    uint64_t backoffs = 0;   // level 1: the same
    uint64_t children = 0;   // level 1: 32 bits for each token and for <s>, and one more; else bits
    uint64_t directory = 0;  // 32 bits for each 64 grams: where in the bits of `children` they begin
    int width = 0;           // bits of a gram
  };
  std::array<Level, mostOrder> levels;
  uint64_t bytes = 0;

  Layout(int order, uint32_t vocabulary, const std::array<uint64_t, mostOrder>& counts) {
    uint64_t at = sizeof(FileHeader);
    const auto section = [&](uint64_t size) {
      const uint64_t begin = at;
      at += (size + 7) / 8 * 8;
      return begin;
    };
    // One word more, so that the last bits can be read with what is behind them.
    const auto bits = [&](uint64_t count) { return section(count / 64 * 8 + 16); };
    const uint64_t tokens = uint64_t{vocabulary} + 1;
    levels[0].values = section(tokens);
    if (order > 1) {
      levels[0].backoffs = section(tokens);
      levels[0].children = section(4 * (tokens + 1));
    }
    for (int n = 1; n < order; n++) {
      Level& level = levels[n];
      const bool last = n + 1 == order;
      level.width = tokenBits(vocabulary) + (last ? 8 : 16);
      level.values = bits(counts[n] * static_cast<uint64_t>(level.width));
      if (last) continue;
      level.children = bits(counts[n] + counts[n + 1]);
      level.directory = section(4 * (counts[n] / 64 + 1));
    }
    bytes = at;
  }
};

// Of whole words of 64 bits.
inline uint64_t hashWords(uint64_t hash, const uint64_t* words, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ull;
    hash ^= hash >> 32;
  }
  return hash;
}
constexpr uint64_t hashStart = 14695981039346656037ull;

}  // namespace parakeet::lm
