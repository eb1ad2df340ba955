// Checksums: the published ones, in one piece and in several, and those of parts that threads read.
#include "ops/checksum.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "test/cases.h"
#include "test/check.h"

namespace parakeet::test {

void checksums(std::mt19937& random) {
  using namespace ops;
  // RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRCs.
  std::vector<unsigned char> bytes(32);
  CHECK(crc32c(bytes.data(), bytes.size()) == 0x8a9136aa);
  std::fill(bytes.begin(), bytes.end(), 0xff);
  CHECK(crc32c(bytes.data(), bytes.size()) == 0x62a8ab43);
  CHECK(crc32c("123456789", 9) == 0xe3069283);
  CHECK(crc32c(nullptr, 0) == 0);

  bytes.resize(100'000);
  for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random());
  const uint32_t whole = crc32c(bytes.data(), bytes.size());
  for (const size_t cut : {size_t{0}, size_t{1}, size_t{13}, bytes.size() - 3, bytes.size()})
    CHECK(crc32c(bytes.data() + cut, bytes.size() - cut, crc32c(bytes.data(), cut)) == whole);

  const size_t size = 1000, count = bytes.size() / size;
  std::vector<unsigned char> sums;
  for (size_t i = 0; i < count; i++) {
    const uint32_t sum = crc32c(bytes.data() + i * size, size);
    for (int k = 0; k < 4; k++) sums.push_back(static_cast<unsigned char>(sum >> 8 * k));
  }
  CHECK(checksumOf(bytes.data(), size, count) == crc32c(sums.data(), sums.size()));
}

}  // namespace parakeet::test
