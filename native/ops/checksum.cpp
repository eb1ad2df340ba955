#include "ops/checksum.h"

#include <array>
#include <cstring>
#include <vector>

#include "ops/pool.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace parakeet::ops {
namespace {

// Fewer bytes than this do not justify waking another thread.
constexpr size_t grainBytes = size_t{1} << 18;

using Function = uint32_t (*)(const unsigned char*, size_t, uint32_t);

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) uint32_t byInstruction(const unsigned char* bytes, size_t size, uint32_t rest) {
  uint64_t wide = rest;
  for (; size >= 8; size -= 8, bytes += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    wide = _mm_crc32_u64(wide, word);
  }
  rest = static_cast<uint32_t>(wide);
  for (; size > 0; size--, bytes++) rest = _mm_crc32_u8(rest, *bytes);
  return rest;
}

// Every x86_64 since 2008 has it.
constexpr Function best = byInstruction;

#else

// The remainders of eight bytes at a time, each at its distance from the end.
constexpr auto makeTables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  constexpr uint32_t polynomial = 0x82f63b78;
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; bit++) rest = rest >> 1 ^ (rest & 1 ? polynomial : 0);
    tables[0][byte] = rest;
  }
  for (size_t i = 1; i < tables.size(); i++) {
    for (size_t byte = 0; byte < 256; byte++) {
      const uint32_t before = tables[i - 1][byte];
      tables[i][byte] = before >> 8 ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

uint32_t byTables(const unsigned char* bytes, size_t size, uint32_t rest) {
  static constexpr auto tables = makeTables();
  for (; size >= 8; size -= 8, bytes += 8) {
    uint32_t low = 0, high = 0;
    std::memcpy(&low, bytes, sizeof low);
    std::memcpy(&high, bytes + sizeof low, sizeof high);
    low ^= rest;
    rest = 0;
    for (int i = 0; i < 4; i++) {
      rest ^= tables[7 - i][low >> 8 * i & 0xff];
      rest ^= tables[3 - i][high >> 8 * i & 0xff];
    }
  }
  for (; size > 0; size--, bytes++) rest = rest >> 8 ^ tables[0][(rest ^ *bytes) & 0xff];
  return rest;
}

constexpr Function best = byTables;

#endif

}  // namespace

uint32_t crc32c(const void* bytes, size_t size, uint32_t before) {
  return ~best(static_cast<const unsigned char*>(bytes), size, ~before);
}

uint32_t checksumOf(const void* bytes, size_t size, size_t count) {
  const auto* parts = static_cast<const unsigned char*>(bytes);
  std::vector<unsigned char> sums(4 * count);
  parallelFor(static_cast<int>(count), static_cast<int>(grainBytes / (size + 1)) + 1, [&](int begin, int end) {
    for (int i = begin; i < end; i++) {
      const uint32_t sum = crc32c(parts + i * size, size);
      for (int k = 0; k < 4; k++) sums[4 * i + k] = static_cast<unsigned char>(sum >> 8 * k);
    }
  });
  return crc32c(sums.data(), sums.size());
}

}  // namespace parakeet::ops
