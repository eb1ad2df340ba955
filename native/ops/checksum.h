// Whether bytes are those that were written.
#pragma once

#include <cstddef>
#include <cstdint>

namespace parakeet::ops {

// CRC-32C (Castagnoli; RFC 3720, appendix B.4) of `size` bytes that follow those of which `before` is the checksum.
uint32_t crc32c(const void* bytes, size_t size, uint32_t before = 0);

// The checksum of `count` parts of `size` bytes each, which are read in parallel: that of the checksums of the parts,
// little-endian.
uint32_t checksumOf(const void* bytes, size_t size, size_t count);

}  // namespace parakeet::ops
