// A model's file: values quantised to bytes, grams and the numbers of their children in bits.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "error.h"
#include "lm/bits.h"
#include "lm/grams.h"

namespace parakeet::lm {
namespace {

// Values of a level as bytes, evenly spaced, 0 being exact: a context without continuations has no penalty.
struct Quantiser {
  float low = 0, step = 0;

  explicit Quantiser(const std::vector<float>& values) {
    float least = 0, most = 0;
    for (const float value : values) {
      least = std::min(least, value);
      most = std::max(most, value);
    }
    if (least == most) return;
    step = (most - least) / 254.0f;
    low = std::floor(least / step) * step;
  }
  uint8_t operator()(float value) const {
    return step == 0 ? 0 : static_cast<uint8_t>(std::clamp(std::lround((value - low) / step), 0l, 255l));
  }
};

std::array<uint64_t, mostOrder> countsOf(const std::vector<uint64_t>& counts) {
  std::array<uint64_t, mostOrder> array{};
  std::copy(counts.begin(), counts.end(), array.begin());
  return array;
}

}  // namespace

uint64_t fileBytes(uint32_t vocabulary, const std::vector<uint64_t>& counts) {
  return Layout(static_cast<int>(counts.size()), vocabulary, countsOf(counts)).bytes;
}

std::vector<uint64_t> encode(const Grams& grams, const VocabularyHash& vocabularyHash) {
  const auto order = static_cast<int>(grams.levels.size());
  std::vector<uint64_t> counts;
  for (const GramLevel& level : grams.levels) {
    if (level.size() > mostGrams)
      throw Error("ERR_PARAKEET_INVALID_LANGUAGE_MODEL", "Expected at most " + std::to_string(mostGrams) +
                                                             " grams of one length but there are " +
                                                             std::to_string(level.size()));
    counts.push_back(level.size());
  }
  const Layout layout(order, grams.vocabulary, countsOf(counts));
  std::vector<uint64_t> words(layout.bytes / 8);
  auto* bytes = reinterpret_cast<uint8_t*>(words.data());
  FileHeader header{magic,
                    formatVersion,
                    static_cast<uint32_t>(order),
                    grams.vocabulary,
                    grams.start,
                    vocabularyHash,
                    layout.bytes,
                    {},
                    0};
  for (int n = 0; n < order; n++) {
    const GramLevel& level = grams.levels[n];
    const Layout::Level& place = layout.levels[n];
    const bool last = n + 1 == order;
    const Quantiser value(level.value), backoff(last ? std::vector<float>() : level.backoff);
    header.levels[n] = {counts[n], value.low, value.step, backoff.low, backoff.step};
    std::vector<uint32_t> children(level.size());
    if (!last)
      for (const uint32_t parent : grams.levels[n + 1].parent) children[parent]++;
    if (n == 0) {
      std::vector<uint32_t> first{0};
      for (size_t i = 0; i < level.size(); i++) {
        bytes[place.values + i] = value(level.value[i]);
        if (last) continue;
        bytes[place.backoffs + i] = backoff(level.backoff[i]);
        first.push_back(first.back() + children[i]);
      }
      if (!last) std::memcpy(bytes + place.children, first.data(), 4 * first.size());
      continue;
    }
    BitWriter own, runs;
    std::vector<uint32_t> directory;
    for (size_t i = 0; i < level.size(); i++) {
      own.put(level.token[i], tokenBits(grams.vocabulary));
      own.put(value(level.value[i]), 8);
      if (last) continue;
      own.put(backoff(level.backoff[i]), 8);
      if (i % 64 == 0) directory.push_back(static_cast<uint32_t>(runs.size()));
      for (uint32_t left = children[i]; left > 0;) {
        const int some = static_cast<int>(std::min(left, 48u));
        runs.put((uint64_t{1} << some) - 1, some);
        left -= static_cast<uint32_t>(some);
      }
      runs.put(0, 1);
    }
    std::memcpy(bytes + place.values, own.words().data(), (own.size() + 7) / 8);
    if (last) continue;
    std::memcpy(bytes + place.children, runs.words().data(), (runs.size() + 7) / 8);
    if (!directory.empty()) std::memcpy(bytes + place.directory, directory.data(), 4 * directory.size());
  }
  std::memcpy(bytes, &header, sizeof header);
  header.hash = hashWords(hashStart, words.data(), words.size());
  std::memcpy(bytes + offsetof(FileHeader, hash), &header.hash, sizeof header.hash);
  return words;
}

}  // namespace parakeet::lm
