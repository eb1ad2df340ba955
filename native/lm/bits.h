// Arrays of numbers of any width in 64-bit words, lowest bits first.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace parakeet::lm {

// `width` bits, at most 57, from bit `at` on. The word behind the last one used must exist.
inline uint64_t bitsAt(const uint64_t* words, uint64_t at, int width) {
  const uint64_t word = at / 64;
  const int shift = static_cast<int>(at % 64);
  uint64_t value = words[word] >> shift;
  if (shift + width > 64) value |= words[word + 1] << (64 - shift);
  return value & ((uint64_t{1} << width) - 1);
}

class BitWriter {
 public:
  // Appends the lowest `width` bits, at most 57.
  void put(uint64_t value, int width) {
    const uint64_t word = at_ / 64;
    const int shift = static_cast<int>(at_ % 64);
    words_.resize((at_ + static_cast<uint64_t>(width)) / 64 + 2);
    words_[word] |= value << shift;
    if (shift + width > 64) words_[word + 1] |= value >> (64 - shift);
    at_ += static_cast<uint64_t>(width);
  }
  uint64_t size() const { return at_; }
  const std::vector<uint64_t>& words() const { return words_; }

 private:
  std::vector<uint64_t> words_{0, 0};
  uint64_t at_ = 0;
};

// Runs of ones, each closed by a zero: how many ones run `i` has is how many children node `i` has. From `at`, the
// place after the zero before it, returns the place after `zeros` more zeros.
inline uint64_t skipZeros(const uint64_t* words, uint64_t at, int zeros) {
  while (zeros > 0) {
    const int shift = static_cast<int>(at % 64);
    uint64_t open = ~words[at / 64] >> shift;
    if (shift > 0) open &= (uint64_t{1} << (64 - shift)) - 1;
    const int found = std::popcount(open);
    if (found < zeros) {
      zeros -= found;
      at += static_cast<uint64_t>(64 - shift);
      continue;
    }
    for (; zeros > 1; zeros--) open &= open - 1;
    return at + static_cast<uint64_t>(std::countr_zero(open)) + 1;
  }
  return at;
}

}  // namespace parakeet::lm
